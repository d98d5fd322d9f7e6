// SPDX-License-Identifier: Apache-2.0
// A core with a counter for its log time, and events of every kind with little boilerplate. A value
// type: a copy is a branch of the same history.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "domain/core.h"

namespace sandtrail::test {

inline constexpr auto kLauncher = DeciderRole::launcher;
inline constexpr auto kBilling = DeciderRole::billing;
inline constexpr auto kRetention = DeciderRole::retention;
inline constexpr auto kWebhooks = DeciderRole::webhooks;
inline constexpr auto kAuditor = DeciderRole::auditor;

// Stored rows: letter and key -> value.
using Rows = std::map<Bytes, Bytes>;

// A copy of `body` after `change`.
template <typename Body, typename Change>
Body with(Body body, Change change) {
  change(body);
  return body;
}

struct Harness {
  explicit Harness(TopicKind kind = TopicKind::events) : core(kind) {}

  // Folds at the next position, stamped `now` or `stamp`.
  Judgement fold(const Event& event) { return fold(event, now); }
  Judgement fold(const Event& event, UnixMs stamp);
  // Folds what has to be legal, else the test ends.
  void apply(const Event& event);
  void pass(Millis span) { now = now + span; }
  // Brings `rows` up to date; returns what changed: the letters of the tables, sorted.
  std::string drain_into(Rows& rows);

  template <typename AnyId>
  AnyId id() {
    Bytes bytes(8, '\x01');
    put_be64(bytes, ++ids);
    return AnyId::derived(bytes);
  }

  Event event(EventBody body);  // of `org`, time `now`, no actor, no decision
  Event by_key(const KeyId& key, EventBody body);
  Event by_operator(EventBody body);
  Event decided(DeciderRole role, EventBody body);  // under the epoch in force

  // Bodies that are legal in the state they are made for.
  OrganizationCreated organization();
  ApiKeyCreated key(KeyRole role);
  WebhookEndpointCreated endpoint(std::vector<std::string> filters = {});
  ExecutionRequested request(std::int64_t attempts_max = 1);
  ExecutionRejected reject(const ExecutionId& x) const;
  ExecutionAssigned assign(const ExecutionId& x) const;
  ExecutionRefused refuse(const ExecutionId& x) const;
  ExecutionStarted start(const ExecutionId& x) const;
  ExecutionAttemptLost lose_attempt(const ExecutionId& x) const;
  ExecutionFinished finish(const ExecutionId& x, std::int64_t wall_us = 1'000'000) const;
  ExecutionCancelRequested ask_cancel(const ExecutionId& x) const;
  ExecutionCancelled cancel(const ExecutionId& x) const;
  ExecutionLost lose(const ExecutionId& x) const;
  ExecutionErased erase(const ExecutionId& x) const;
  ExecutionKeyDestroyed destroy_key(const ExecutionId& x) const;
  BillingSettled settle(const ExecutionId& x) const;
  BillingGranted grant(std::int64_t amount) const;
  PlatformAdopted adopt(std::int64_t version, std::int64_t price) const;
  OwnerClaimed claim(DeciderRole role) const;
  WebhookScheduled schedule(const ExecutionId& x, std::optional<EndpointId> to);
  WebhookAttempted attempt(const DeliveryId& d) const;
  WebhookDelivered deliver(const DeliveryId& d) const;
  WebhookExhausted exhaust(const DeliveryId& d) const;

  // Steps that have to be legal.
  ExecutionId requested(std::int64_t attempts_max = 1);
  ExecutionId assigned(std::int64_t attempts_max = 1);
  ExecutionId started(std::int64_t attempts_max = 1);
  ExecutionId finished();
  ExecutionId settled();
  EndpointId add_endpoint(std::vector<std::string> filters = {});

  const CoreState& state() const { return core.state(); }
  const OrgRow& org_row() const { return *state().orgs.find(org); }
  const ExecutionRow& row(const ExecutionId& x) const { return *state().executions.find(x); }

  Core core;
  UnixMs now{1'700'000'000'000};
  std::int64_t position = 0;
  std::uint64_t ids = 0;
  OrgId org;
  KeyId admin, member, viewer, auditor;
  OrgId other_org;
  KeyId other_admin;
};

// Price of the rate card that world() adopts as version 1: one credit.
inline constexpr std::int64_t kPrice = kMicroCreditsPerCredit;
// What world() grants.
inline constexpr std::int64_t kGrant = 1000 * kMicroCreditsPerCredit;

// A partition of `events` with all roles claimed, a rate card, and two organisations with keys.
Harness world();

// One event and what becomes of it.
struct Row {
  std::string name;
  std::function<Event(Harness&)> event;
  VoidReason expected;
};
// Every row on its own branch of `base`; a void event must leave all rows as they were.
void check_rows(const Harness& base, const std::vector<Row>& rows);

}  // namespace sandtrail::test
