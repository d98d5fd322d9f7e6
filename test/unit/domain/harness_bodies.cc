// SPDX-License-Identifier: Apache-2.0
#include "domain/notify.h"
#include "harness.h"

namespace sandtrail::test {

OrganizationCreated Harness::organization() {
  OrganizationCreated out;
  out.organization = org;
  out.name = "Acme";
  out.grant = {kGrant};
  out.limits = {4, 3};
  out.key = id<DataKeyId>();
  return out;
}

ApiKeyCreated Harness::key(KeyRole role) {
  ApiKeyCreated out;
  out.key = id<KeyId>();
  out.name = "key";
  out.role = role;
  out.secret_sha256.bytes = Bytes(32, 's');
  return out;
}

WebhookEndpointCreated Harness::endpoint(std::vector<std::string> filters) {
  WebhookEndpointCreated out;
  out.endpoint = id<EndpointId>();
  out.url = "https://example.com/hook";
  out.events = std::move(filters);
  return out;
}

ExecutionRequested Harness::request(std::int64_t attempts_max) {
  ExecutionRequested out;
  out.execution = id<ExecutionId>();
  out.attempts_max = attempts_max;
  out.retention = hours(1);
  out.payload.key = id<DataKeyId>();
  return out;
}

ExecutionRejected Harness::reject(const ExecutionId& x) const {
  ExecutionRejected out;
  out.execution = x;
  return out;
}

ExecutionAssigned Harness::assign(const ExecutionId& x) const {
  ExecutionAssigned out;
  out.execution = x;
  out.host = HostId::derived("host-of-the-test");
  out.host_epoch = 7;
  const ExecutionRow* found = state().executions.find(x);
  if (found == nullptr) return out;
  out.attempt = found->attempt + 1;
  out.rate_card = found->attempt == 0 ? state().meta.rate_card : found->rate_card;
  if (const RateCard* card = state().card(out.rate_card)) {
    out.hold = worst_case(*card, found->limits);
  }
  return out;
}

namespace {

// A report of the host that holds `x`.
template <typename Body>
Body report(const Harness& h, const ExecutionId& x) {
  Body out;
  out.execution = x;
  if (const ExecutionRow* found = h.state().executions.find(x)) {
    out.attempt = found->attempt;
    out.host_epoch = found->host_epoch;
  }
  return out;
}

template <typename Body>
Body about(const ExecutionId& x) {
  Body out;
  out.execution = x;
  return out;
}

template <typename Body>
Body attempted(const Harness& h, const DeliveryId& d) {
  Body out;
  out.delivery = d;
  const DeliveryRow* found = h.state().deliveries.find(d);
  out.attempt.number = found == nullptr ? 1 : found->attempts + 1;
  return out;
}

}  // namespace

ExecutionRefused Harness::refuse(const ExecutionId& x) const {
  return report<ExecutionRefused>(*this, x);
}
ExecutionStarted Harness::start(const ExecutionId& x) const {
  return report<ExecutionStarted>(*this, x);
}

ExecutionFinished Harness::finish(const ExecutionId& x, std::int64_t wall_us) const {
  auto out = report<ExecutionFinished>(*this, x);
  out.usage.wall_us = wall_us;
  return out;
}

ExecutionAttemptLost Harness::lose_attempt(const ExecutionId& x) const {
  ExecutionAttemptLost out;
  out.execution = x;
  out.attempt = state().executions.find(x) == nullptr ? 1 : row(x).attempt;
  return out;
}

ExecutionLost Harness::lose(const ExecutionId& x) const {
  ExecutionLost out;
  out.execution = x;
  out.attempt = state().executions.find(x) == nullptr ? 1 : row(x).attempt;
  return out;
}

ExecutionCancelRequested Harness::ask_cancel(const ExecutionId& x) const {
  return about<ExecutionCancelRequested>(x);
}
ExecutionCancelled Harness::cancel(const ExecutionId& x) const {
  return about<ExecutionCancelled>(x);
}
ExecutionErased Harness::erase(const ExecutionId& x) const {
  return about<ExecutionErased>(x);
}

ExecutionKeyDestroyed Harness::destroy_key(const ExecutionId& x) const {
  auto out = about<ExecutionKeyDestroyed>(x);
  if (const ExecutionRow* found = state().executions.find(x)) out.key = found->key;
  return out;
}

BillingSettled Harness::settle(const ExecutionId& x) const {
  auto out = about<BillingSettled>(x);
  const ExecutionRow* found = state().executions.find(x);
  if (found == nullptr) return out;
  out.rate_card = found->rate_card;
  out.hold = found->hold;
  const RateCard* card = state().card(found->rate_card);
  if (card != nullptr && found->status == ExecutionStatus::finished) {
    out.lines = {rate(*card, found->limits, found->wall_us)};
    out.amount = out.lines[0].amount;
  }
  return out;
}

BillingGranted Harness::grant(std::int64_t amount) const {
  BillingGranted out;
  out.organization = org;
  out.amount = {amount};
  out.reason = "test";
  return out;
}

PlatformAdopted Harness::adopt(std::int64_t version, std::int64_t price) const {
  PlatformAdopted out;
  out.position = state().meta.platform_position + 1;
  out.card.version = version;
  out.card.per_gib_core_second = {price};
  return out;
}

OwnerClaimed Harness::claim(DeciderRole role) const {
  OwnerClaimed out;
  out.role = role;
  out.epoch = state().epoch_of(role) + 1;
  out.instance = "test";
  return out;
}

WebhookScheduled Harness::schedule(const ExecutionId& x, std::optional<EndpointId> to) {
  WebhookScheduled out;
  out.delivery = id<DeliveryId>();
  out.execution = x;
  out.endpoint = to;
  if (const ExecutionRow* found = state().executions.find(x)) {
    out.message_type = message_type_of(found->status);
  }
  return out;
}

WebhookAttempted Harness::attempt(const DeliveryId& d) const {
  auto out = attempted<WebhookAttempted>(*this, d);
  out.next = now + seconds(10);
  return out;
}
WebhookDelivered Harness::deliver(const DeliveryId& d) const {
  return attempted<WebhookDelivered>(*this, d);
}

WebhookExhausted Harness::exhaust(const DeliveryId& d) const {
  WebhookExhausted out;
  out.delivery = d;
  out.reason = "attempts";
  return out;
}

}  // namespace sandtrail::test
