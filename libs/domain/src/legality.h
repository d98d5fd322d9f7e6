// SPDX-License-Identifier: Apache-2.0
// Legality: for each event type one function that checks it against the state and, only if every
// check holds, applies it. Nothing is changed before the last check.
#pragma once

#include "domain/core.h"

namespace sandtrail::legality {

struct Context {
  CoreState& state;
  const Event& event;
  std::int64_t position;
  UnixMs now;  // log time, this record's stamp included
  BytesView value;
  bool other_fold;    // see FoldInput
  bool stop = false;  // out
};

VoidReason judge(Context& c, const OrganizationCreated& e);
VoidReason judge(Context& c, const OrganizationLimitsChanged& e);
VoidReason judge(Context& c, const ApiKeyCreated& e);
VoidReason judge(Context& c, const ApiKeyRevoked& e);
VoidReason judge(Context& c, const WebhookEndpointCreated& e);
VoidReason judge(Context& c, const WebhookEndpointDeleted& e);
VoidReason judge(Context& c, const AccessDenied& e);

VoidReason judge(Context& c, const ExecutionRequested& e);
VoidReason judge(Context& c, const ExecutionRejected& e);
VoidReason judge(Context& c, const ExecutionAssigned& e);
VoidReason judge(Context& c, const ExecutionRefused& e);
VoidReason judge(Context& c, const ExecutionStarted& e);
VoidReason judge(Context& c, const ExecutionAttemptLost& e);
VoidReason judge(Context& c, const ExecutionFinished& e);
VoidReason judge(Context& c, const ExecutionCancelRequested& e);
VoidReason judge(Context& c, const ExecutionCancelled& e);
VoidReason judge(Context& c, const ExecutionLost& e);
VoidReason judge(Context& c, const ExecutionErased& e);
VoidReason judge(Context& c, const ExecutionKeyDestroyed& e);

VoidReason judge(Context& c, const WebhookScheduled& e);
VoidReason judge(Context& c, const WebhookAttempted& e);
VoidReason judge(Context& c, const WebhookDelivered& e);
VoidReason judge(Context& c, const WebhookExhausted& e);
VoidReason judge(Context& c, const WebhookEndpointDisabled& e);

VoidReason judge(Context& c, const BillingGranted& e);
VoidReason judge(Context& c, const BillingSettled& e);
VoidReason judge(Context& c, const RateCardPublished& e);
VoidReason judge(Context& c, const PlatformAdopted& e);

VoidReason judge(Context& c, const OwnerClaimed& e);
VoidReason judge(Context& c, const RulesActivated& e);
VoidReason judge(Context& c, const EffectParked& e);
VoidReason judge(Context& c, const EffectResolved& e);
VoidReason judge(Context& c, const PlatformAccessDenied& e);
VoidReason judge(Context& c, const LogLossAccepted& e);
VoidReason judge(Context& c, const LogRecordLost& e);
VoidReason judge(Context& c, const AuditRecorded& e);
VoidReason judge(Context& c, const AuditCheckpointSigned& e);
VoidReason judge(Context& c, const AuditAcknowledged& e);

// True if the event is a decision of the one that owns `role` on this partition. Before the first
// claim nobody does.
bool decides(const CoreState& state, const Event& event, DeciderRole role);

// If the execution is over in every respect: plans that the core forgets it (design: Size).
void plan_forgetting(Context& c, const ExecutionId& id, ExecutionRow& row);
// What the agenda says is due.
void forget_due(CoreState& state, UnixMs now);
// A derived part of the state after loading: agenda entries that follow from rows.
void rebuild_agenda(CoreState& state);

// A big-endian text key for a version number, so that rows sort by it.
std::string card_key(std::int64_t version);

}  // namespace sandtrail::legality
