// SPDX-License-Identifier: Apache-2.0
// What the API answers with. The same descriptions make the schemas of the OpenAPI document.
// Members without a value, and empty lists and maps, are left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth.h"
#include "documents.h"
#include "domain/payloads.h"

namespace sandtrail::gateway {

struct TimingsView {
  std::optional<std::int64_t> queue_us;  // from the request to the newest assignment, by the log
  std::optional<std::int64_t> boot_us;
  std::optional<std::int64_t> compile_us;
  std::optional<std::int64_t> run_us;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("queue_us", s.queue_us);
    v("boot_us", s.boot_us);
    v("compile_us", s.compile_us);
    v("run_us", s.run_us);
  }
};

struct CostView {
  MicroCredits hold;
  std::optional<MicroCredits> settled;
  std::optional<std::string> credits;  // settled, as a decimal number
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("hold_microcredits", s.hold);
    v("settled_microcredits", s.settled);
    v("credits", s.credits);
  }
};

struct RejectionView {
  std::string reason;
  std::optional<std::string> detail;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("reason", s.reason);
    v("detail", s.detail);
  }
};

struct ExecutionUrls {
  std::string self;
  std::string events;
  std::string output;
  std::string deliveries;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("self", s.self);
    v("events", s.events);
    v("output", s.output);
    v("deliveries", s.deliveries);
  }
};

struct StreamView {
  std::optional<std::string> text;
  std::optional<Blob> base64;  // if the text had to be mended
  std::optional<std::int64_t> bytes;
  std::optional<bool> truncated;
};

struct ExecutionView {
  ExecutionId id;
  ExecutionStatus status = ExecutionStatus::requested;
  std::optional<std::string> language;
  ExecutionLimits limits;
  std::string network;
  UnixMs created;
  std::optional<UnixMs> started;
  std::optional<UnixMs> ended;
  std::int64_t attempt = 0;
  std::int64_t max_attempts = 1;
  std::optional<HostId> host;
  bool cancel_requested = false;
  std::optional<Verdict> verdict;
  std::optional<std::string> cause;
  std::optional<std::string> decided_by;
  std::vector<std::string> evidence;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  StreamView out;
  StreamView err;
  std::optional<ExecutionUsage> usage;
  std::optional<TimingsView> timings;
  std::optional<std::string> isolation;
  std::vector<std::string> controls;
  std::vector<std::string> controls_missing;
  std::optional<CostView> cost;
  std::optional<RejectionView> rejection;
  std::optional<std::string> lost_reason;
  std::map<std::string, std::string> metadata;
  std::optional<std::string> thread;
  std::string retention;  // "7d", "90s", "indefinite"
  std::optional<UnixMs> expires;
  bool erased = false;
  bool callback = false;
  std::optional<std::string> request_id;
  std::string position;
  ExecutionUrls urls;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("status", s.status);
    v("language", s.language);
    v("limits", s.limits);
    v("network", s.network);
    v("created_at", s.created);
    v("started_at", s.started);
    v("ended_at", s.ended);
    v("attempt", s.attempt);
    v("max_attempts", s.max_attempts);
    v("host", s.host);
    v("cancel_requested", s.cancel_requested);
    v("verdict", s.verdict);
    v("cause", s.cause);
    v("decided_by", s.decided_by);
    v("evidence", s.evidence);
    v("exit_code", s.exit_code);
    v("signal", s.signal);
    v("stdout", s.out.text);
    v("stdout_base64", s.out.base64);
    v("stdout_bytes", s.out.bytes);
    v("stdout_truncated", s.out.truncated);
    v("stderr", s.err.text);
    v("stderr_base64", s.err.base64);
    v("stderr_bytes", s.err.bytes);
    v("stderr_truncated", s.err.truncated);
    v("usage", s.usage);
    v("timings", s.timings);
    v("isolation", s.isolation);
    v("controls", s.controls);
    v("controls_missing", s.controls_missing);
    v("cost", s.cost);
    v("rejection", s.rejection);
    v("lost_reason", s.lost_reason);
    v("metadata", s.metadata);
    v("thread", s.thread);
    v("retention", s.retention);
    v("expires_at", s.expires);
    v("erased", s.erased);
    v("callback", s.callback);
    v("request_id", s.request_id);
    v("position", s.position);
    v("urls", s.urls);
  }
};

// `input` and `output` null: not opened. Their contents are not shown of an erased execution.
ExecutionView view_of(const ExecutionDoc& doc, const TopicPartition& where,
                      const ExecutionInput* input, const ExecutionOutput* output);

struct AttemptView {
  UnixMs time;
  AttemptFacts facts;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("time", s.time);
    AttemptFacts::fields(s.facts, v);
  }
};

struct DeliveryView {
  DeliveryId id;
  ExecutionId execution;
  std::optional<EndpointId> endpoint;  // absent: the callback URL
  bool callback = false;
  std::string type;
  DeliveryStatus status = DeliveryStatus::scheduled;
  UnixMs created;
  std::int64_t attempt_count = 0;
  std::optional<UnixMs> next;
  std::optional<UnixMs> ended;
  std::optional<std::string> reason;
  std::vector<AttemptView> attempts;  // not in lists
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("execution", s.execution);
    v("endpoint", s.endpoint);
    v("callback", s.callback);
    v("type", s.type);
    v("status", s.status);
    v("created_at", s.created);
    v("attempt_count", s.attempt_count);
    v("next_attempt_at", s.next);
    v("ended_at", s.ended);
    v("reason", s.reason);
    v("attempts", s.attempts);
  }
};
DeliveryView view_of(const DeliveryDoc& doc, bool with_attempts);

struct EndpointView {
  EndpointId id;
  std::string url;
  std::vector<std::string> events;  // absent: all
  bool enabled = true;
  std::optional<std::string> disabled_reason;
  UnixMs created;
  std::optional<std::string> secret;  // only when it is created
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("url", s.url);
    v("events", s.events);
    v("enabled", s.enabled);
    v("disabled_reason", s.disabled_reason);
    v("created_at", s.created);
    v("secret", s.secret);
  }
};
EndpointView view_of(const EndpointId& id, const EndpointRow& row);

struct ApiKeyView {
  KeyId id;
  std::string name;
  KeyRole role = KeyRole::viewer;
  std::string hint;  // the last characters
  UnixMs created;
  std::optional<UnixMs> expires;
  std::optional<std::string> api_key;  // only when it is created
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("role", s.role);
    v("hint", s.hint);
    v("created_at", s.created);
    v("expires_at", s.expires);
    v("api_key", s.api_key);
  }
};
ApiKeyView view_of(const KeyId& id, const KeyRow& row);

struct BalanceView {
  MicroCredits balance;    // granted - settled
  MicroCredits held;       // for what runs
  MicroCredits available;  // balance - held
  MicroCredits granted;
  MicroCredits settled;
  std::string available_credits;
  std::optional<RateCard> rate_card;
  std::string position;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("balance_microcredits", s.balance);
    v("held_microcredits", s.held);
    v("available_microcredits", s.available);
    v("granted_microcredits", s.granted);
    v("settled_microcredits", s.settled);
    v("available_credits", s.available_credits);
    v("rate_card", s.rate_card);
    v("position", s.position);
  }
};

struct AuditView {
  std::int64_t index = 0;
  std::optional<OrgId> organization;
  UnixMs time;
  std::string event;
  std::string action;
  std::string resource;
  AuditOutcome outcome = AuditOutcome::success;
  std::optional<std::string> reason;
  std::int64_t count = 1;
  Actor actor;
  std::map<std::string, std::string> changes;
  std::optional<std::string> request_id;
  std::string source;  // "events/2/17"
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("index", s.index);
    v("organization", s.organization);
    v("time", s.time);
    v("event", s.event);
    v("action", s.action);
    v("resource", s.resource);
    v("outcome", s.outcome);
    v("reason", s.reason);
    v("count", s.count);
    v("actor", s.actor);
    v("changes", s.changes);
    v("request_id", s.request_id);
    v("source", s.source);
  }
};
AuditView view_of(const AuditDoc& doc);

struct LanguageView {
  std::string name;
  ExecutionLimits default_limits;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("name", s.name);
    v("default_limits", s.default_limits);
  }
};

struct OrganizationView {
  OrgId id;
  std::string name;
  UnixMs created;
  OrgLimits limits;
  MicroCredits available;
  MicroCredits held;
  MicroCredits granted;
  MicroCredits settled;
  std::int64_t queued = 0;
  std::int64_t running = 0;
  std::int64_t api_keys = 0;
  std::int64_t webhook_endpoints = 0;
  std::int64_t version = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("created_at", s.created);
    v("limits", s.limits);
    v("available_microcredits", s.available);
    v("held_microcredits", s.held);
    v("granted_microcredits", s.granted);
    v("settled_microcredits", s.settled);
    v("queued", s.queued);
    v("running", s.running);
    v("api_keys", s.api_keys);
    v("webhook_endpoints", s.webhook_endpoints);
    v("version", s.version);
  }
};
OrganizationView view_of(const OrgId& id, const OrgRow& row);

}  // namespace sandtrail::gateway
