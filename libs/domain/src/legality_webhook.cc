// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "domain/notify.h"
#include "legality.h"

namespace sandtrail::legality {
namespace {

const DeliveryRow* find(const Context& c, const DeliveryId& id) {
  const DeliveryRow* row = c.state.deliveries.find(id);
  return row != nullptr && row->org == c.event.org ? row : nullptr;
}

VoidReason check_attempt(const DeliveryRow* row, const AttemptFacts& attempt) {
  if (row == nullptr) return VoidReason::not_found;
  return attempt.number == row->attempts + 1 ? VoidReason::none : VoidReason::wrong_attempt;
}

void close_delivery(Context& c, const DeliveryId& id) {
  const ExecutionId execution = c.state.deliveries.find(id)->execution;
  c.state.deliveries.erase(id);
  ExecutionRow& row = c.state.executions.change(execution);
  --row.deliveries_open;
  plan_forgetting(c, execution, row);
}

}  // namespace

VoidReason judge(Context& c, const WebhookScheduled& e) {
  const ExecutionRow* row = c.state.executions.find(e.execution);
  if (row == nullptr || row->org != c.event.org) return VoidReason::not_found;
  if (e.delivery.nil() || e.message_type != message_type_of(row->status)) {
    return VoidReason::invalid;
  }
  if (c.state.deliveries.find(e.delivery) != nullptr) return VoidReason::already_exists;
  const std::string receiver = e.endpoint ? e.endpoint->text() : std::string(kCallbackReceiver);
  if (std::find(row->notify.begin(), row->notify.end(), receiver) == row->notify.end()) {
    return VoidReason::wrong_state;
  }
  ExecutionRow& changed = c.state.executions.change(e.execution);
  std::erase(changed.notify, receiver);
  ++changed.deliveries_open;
  DeliveryRow& delivery = c.state.deliveries.change(e.delivery);
  delivery.org = c.event.org;
  delivery.execution = e.execution;
  delivery.endpoint = e.endpoint;
  delivery.message_type = e.message_type;
  delivery.scheduled = c.now;
  delivery.next = c.now;
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookAttempted& e) {
  const auto reason = check_attempt(find(c, e.delivery), e.attempt);
  if (reason != VoidReason::none) return reason;
  DeliveryRow& delivery = c.state.deliveries.change(e.delivery);
  delivery.attempts = e.attempt.number;
  delivery.next = e.next;
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookDelivered& e) {
  const auto reason = check_attempt(find(c, e.delivery), e.attempt);
  if (reason != VoidReason::none) return reason;
  close_delivery(c, e.delivery);
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookExhausted& e) {
  const DeliveryRow* row = find(c, e.delivery);
  if (row == nullptr) return VoidReason::not_found;
  if (e.attempt) {
    const auto reason = check_attempt(row, *e.attempt);
    if (reason != VoidReason::none) return reason;
  }
  close_delivery(c, e.delivery);
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookEndpointDisabled& e) {
  const EndpointRow* endpoint = c.state.endpoints.find(e.endpoint);
  if (endpoint == nullptr || endpoint->org != c.event.org) return VoidReason::not_found;
  if (!endpoint->disabled_reason.empty()) return VoidReason::wrong_state;
  if (e.reason.empty()) return VoidReason::invalid;
  c.state.endpoints.change(e.endpoint).disabled_reason = e.reason;
  return VoidReason::none;
}

}  // namespace sandtrail::legality
