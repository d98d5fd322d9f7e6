// SPDX-License-Identifier: Apache-2.0
// Any event, with what all of them carry. How it stands in a record: libs/wire.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "domain/events_billing.h"
#include "domain/events_control.h"
#include "domain/events_execution.h"
#include "domain/events_system.h"
#include "domain/events_webhook.h"

namespace sandtrail {

using EventBody =
    std::variant<OrganizationCreated, OrganizationLimitsChanged, ApiKeyCreated, ApiKeyRevoked,
                 WebhookEndpointCreated, WebhookEndpointDeleted, AccessDenied, ExecutionRequested,
                 ExecutionRejected, ExecutionAssigned, ExecutionRefused, ExecutionStarted,
                 ExecutionAttemptLost, ExecutionFinished, ExecutionCancelRequested,
                 ExecutionCancelled, ExecutionLost, ExecutionErased, ExecutionKeyDestroyed,
                 WebhookScheduled, WebhookAttempted, WebhookDelivered, WebhookExhausted,
                 WebhookEndpointDisabled, BillingGranted, BillingSettled, RateCardPublished,
                 PlatformAdopted, OwnerClaimed, RulesActivated, EffectParked, EffectResolved,
                 PlatformAccessDenied, LogLossAccepted, LogBaseTaken, LogTrimOrdered, LogRecordLost,
                 AuditRecorded, AuditCheckpointSigned, AuditAcknowledged>;

struct Event {
  EventId id;               // ce_id; judged once
  UnixMs time;              // ce_time: the proposer's clock
  OrgId org;                // the record's key; nil where it belongs to none
  std::string source;       // ce_source: "/sandtrail"; which role decided is in `decision`
  std::string subject;      // ce_subject: the entity's id text
  std::string correlation;  // ce_correlationid: id of the execution or request
  std::string causation;    // ce_causationid: id of the event that led to it
  std::string traceparent;  // W3C
  std::int64_t schema_version = 1;

  // In the data, beside the body's own fields:
  std::optional<Actor> actor;  // who asked; such an event is audited
  std::string request_id;
  std::optional<Decision> decision;  // of a role that owns the partition
  std::optional<Idempotency> idempotency;
  std::optional<std::int64_t> expected_version;  // of the subject

  EventBody body;
};

// "sandtrail.execution.requested".
std::string_view type_of(const EventBody& body);

// Calls f.template operator()<T>() for every event type, in the variant's order.
template <typename F, std::size_t... I>
void for_each_event_type_impl(F&& f, std::index_sequence<I...>) {
  (f.template operator()<std::variant_alternative_t<I, EventBody>>(), ...);
}
template <typename F>
void for_each_event_type(F&& f) {
  for_each_event_type_impl(f, std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

}  // namespace sandtrail
