// SPDX-License-Identifier: Apache-2.0
// Control events: organisations, API keys, webhook endpoints. Appended by the gateway for an actor.
// Legality: src/legality_control.cc.
#pragma once

#include "base/limits.h"
#include "domain/common.h"

namespace sandtrail {

struct OrgLimits {
  std::int64_t queued_max = limits::kQueuedPerOrgDefault;
  std::int64_t running_max = limits::kRunningPerOrgDefault;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("queued_max", s.queued_max);
    v.with_default("running_max", s.running_max);
  }
};

// Creates the organisation with its signup grant.
struct OrganizationCreated {
  static constexpr std::string_view kType = "sandtrail.organization.created";
  OrgId organization;
  std::string name;
  MicroCredits grant;
  OrgLimits limits;
  DataKeyId key;                  // the organisation's own key
  SealedPayload callback_secret;  // signs callbacks to a request's callback_url
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("organization", s.organization);
    v("name", s.name);
    v("grant_microcredits", s.grant);
    v("limits", s.limits);
    v("key", s.key);
    v("callback_secret", s.callback_secret);
  }
};

struct OrganizationLimitsChanged {
  static constexpr std::string_view kType = "sandtrail.organization.limits_changed";
  OrgId organization;
  OrgLimits limits;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("organization", s.organization);
    v("limits", s.limits);
  }
};

struct ApiKeyCreated {
  static constexpr std::string_view kType = "sandtrail.api_key.created";
  KeyId key;
  std::string name;
  KeyRole role = KeyRole::member;
  Blob secret_sha256;  // of the key's whole text
  std::string hint;    // its last four characters
  std::optional<UnixMs> expires;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("key", s.key);
    v("name", s.name);
    v("role", s.role);
    v("secret_sha256", s.secret_sha256);
    v("hint", s.hint);
    v("expires_at", s.expires);
  }
};

struct ApiKeyRevoked {
  static constexpr std::string_view kType = "sandtrail.api_key.revoked";
  KeyId key;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("key", s.key);
  }
};

struct WebhookEndpointCreated {
  static constexpr std::string_view kType = "sandtrail.webhook_endpoint.created";
  EndpointId endpoint;
  std::string url;
  std::vector<std::string> events;  // "execution.finished", "execution.*"; empty: all
  SealedPayload secret;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("endpoint", s.endpoint);
    v("url", s.url);
    v("events", s.events);
    v("secret", s.secret);
  }
};

struct WebhookEndpointDeleted {
  static constexpr std::string_view kType = "sandtrail.webhook_endpoint.deleted";
  EndpointId endpoint;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("endpoint", s.endpoint);
  }
};

// Attempts that were refused before they became an event, counted for one key, action, reason and
// minute.
struct AccessDenied {
  static constexpr std::string_view kType = "sandtrail.access.denied";
  std::string action;  // "execution.create"
  std::string reason;  // stable code: "missing_scope", "key_revoked" …
  std::int64_t count = 0;
  UnixMs first;
  UnixMs last;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("action", s.action);
    v("reason", s.reason);
    v("count", s.count);
    v("first", s.first);
    v("last", s.last);
  }
};

}  // namespace sandtrail
