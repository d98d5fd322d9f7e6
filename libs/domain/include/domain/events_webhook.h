// SPDX-License-Identifier: Apache-2.0
// Webhook delivery. Decided by the webhooks role. Legality: src/legality_webhook.cc.
#pragma once

#include "domain/common.h"

namespace sandtrail {

// One message to one receiver. Its id is derived, so a repeat is the same delivery.
struct WebhookScheduled {
  static constexpr std::string_view kType = "sandtrail.webhook.scheduled";
  DeliveryId delivery;
  ExecutionId execution;
  std::optional<EndpointId> endpoint;  // absent: the request's callback URL
  std::string message_type;            // "execution.finished"
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("delivery", s.delivery);
    v("execution", s.execution);
    v("endpoint", s.endpoint);
    v("message_type", s.message_type);
  }
};

// One HTTP request to the receiver and what came of it.
struct AttemptFacts {
  std::int64_t number = 0;  // 1 for the first
  std::int64_t status = 0;  // HTTP status; 0 if none arrived
  std::string error;        // stable code: "timeout", "denied", "unavailable" …
  std::int64_t resolve_us = 0;
  std::int64_t connect_us = 0;
  std::int64_t first_byte_us = 0;
  std::int64_t total_us = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("number", s.number);
    v("status", s.status);
    v.with_default("error", s.error);
    v("resolve_us", s.resolve_us);
    v("connect_us", s.connect_us);
    v("first_byte_us", s.first_byte_us);
    v("total_us", s.total_us);
  }
};

// A failed attempt that will be followed by another.
struct WebhookAttempted {
  static constexpr std::string_view kType = "sandtrail.webhook.attempted";
  DeliveryId delivery;
  AttemptFacts attempt;
  UnixMs next;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("delivery", s.delivery);
    v("attempt", s.attempt);
    v("next_at", s.next);
  }
};

// The attempt that the receiver answered with 2xx.
struct WebhookDelivered {
  static constexpr std::string_view kType = "sandtrail.webhook.delivered";
  DeliveryId delivery;
  AttemptFacts attempt;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("delivery", s.delivery);
    v("attempt", s.attempt);
  }
};

// No further attempt follows.
struct WebhookExhausted {
  static constexpr std::string_view kType = "sandtrail.webhook.exhausted";
  DeliveryId delivery;
  // "attempts", "gone" (410), "endpoint_gone", "invalid_endpoint", "erased", "unreadable".
  std::string reason;
  std::optional<AttemptFacts> attempt;  // the last, unless none was made now
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("delivery", s.delivery);
    v("reason", s.reason);
    v("attempt", s.attempt);
  }
};

// The receiver said 410: nothing more goes there.
struct WebhookEndpointDisabled {
  static constexpr std::string_view kType = "sandtrail.webhook.endpoint_disabled";
  EndpointId endpoint;
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("endpoint", s.endpoint);
    v("reason", s.reason);
  }
};

}  // namespace sandtrail
