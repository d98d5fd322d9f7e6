// SPDX-License-Identifier: Apache-2.0
// Rows of the read model. Stored as JSON; changes only add fields, or raise kFoldVersion.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/event.h"

namespace sandtrail::gateway {

// What the host reported.
struct ResultDoc {
  Verdict verdict = Verdict::internal_error;
  std::string cause;
  std::string decided_by;
  std::vector<std::string> evidence;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  ExecutionUsage usage;
  ExecutionTimings timings;
  OutputFacts out;
  OutputFacts err;
  std::string isolation;
  std::vector<std::string> controls;
  std::vector<std::string> controls_missing;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("verdict", s.verdict);
    v("cause", s.cause);
    v("decided_by", s.decided_by);
    v("evidence", s.evidence);
    v("exit_code", s.exit_code);
    v("signal", s.signal);
    v("usage", s.usage);
    v("timings", s.timings);
    v("out", s.out);
    v("err", s.err);
    v("isolation", s.isolation);
    v("controls", s.controls);
    v("controls_missing", s.controls_missing);
  }
};

struct ExecutionDoc {
  OrgId org;
  ExecutionId id;
  ExecutionStatus status = ExecutionStatus::requested;
  std::string language;
  ExecutionLimits limits;
  std::string network;
  std::int64_t attempts_max = 1;
  std::optional<Millis> retention;
  bool callback = false;
  std::string request_id;
  std::int64_t position = 0;  // of its newest event
  UnixMs created;
  std::optional<UnixMs> assigned;  // of the newest attempt, as are started and host
  std::optional<UnixMs> started;
  std::optional<UnixMs> ended;
  std::int64_t attempt = 0;
  std::optional<HostId> host;
  std::string host_address;  // of its data plane; empty for a built-in one
  bool cancel_requested = false;
  std::optional<ResultDoc> result;
  std::string reason;  // of a rejection or a loss
  std::string detail;
  std::optional<MicroCredits> hold;
  std::optional<MicroCredits> settled;
  bool erased = false;
  // Gone when erased:
  std::optional<SealedPayload> input;
  std::optional<SealedPayload> output;
  std::vector<Blob> tokens;  // under which it stands in the index
  std::int64_t requested_position = 0;

  // Nothing more happens to it, but for erasure.
  bool over() const {
    return is_terminal(status) && (!hold || hold->count == 0 || settled.has_value());
  }
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("id", s.id);
    v("status", s.status);
    v("language", s.language);
    v("limits", s.limits);
    v("network", s.network);
    v("attempts_max", s.attempts_max);
    v("retention", s.retention);
    v("callback", s.callback);
    v("request_id", s.request_id);
    v("position", s.position);
    v("created", s.created);
    v("assigned", s.assigned);
    v("started", s.started);
    v("ended", s.ended);
    v("attempt", s.attempt);
    v("host", s.host);
    v.with_default("host_address", s.host_address);
    v("cancel_requested", s.cancel_requested);
    v("result", s.result);
    v("reason", s.reason);
    v("detail", s.detail);
    v("hold", s.hold);
    v("settled", s.settled);
    v("erased", s.erased);
    v("input", s.input);
    v("output", s.output);
    v("tokens", s.tokens);
    v("requested_position", s.requested_position);
  }
};

struct AttemptDoc {
  UnixMs time;
  AttemptFacts facts;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("time", s.time);
    v("facts", s.facts);
  }
};

enum class DeliveryStatus { scheduled, delivered, exhausted };

struct DeliveryDoc {
  OrgId org;
  DeliveryId id;
  ExecutionId execution;
  std::optional<EndpointId> endpoint;
  std::string message_type;
  DeliveryStatus status = DeliveryStatus::scheduled;
  UnixMs created;
  std::optional<UnixMs> next;
  std::optional<UnixMs> ended;
  std::string reason;
  std::vector<AttemptDoc> attempts;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("id", s.id);
    v("execution", s.execution);
    v("endpoint", s.endpoint);
    v("message_type", s.message_type);
    v("status", s.status);
    v("created", s.created);
    v("next", s.next);
    v("ended", s.ended);
    v("reason", s.reason);
    v("attempts", s.attempts);
  }
};

// One event of an execution as the public sees it: facts, no payload.
struct TrailDoc {
  std::string event;  // "execution.started"
  std::string data;   // JSON text
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("event", s.event);
    v("data", s.data);
  }
};

struct AuditDoc {
  std::int64_t index = 0;  // of the leaf
  AuditRecorded entry;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("index", s.index);
    v("entry", s.entry);
  }
};

}  // namespace sandtrail::gateway

template <>
struct sandtrail::EnumNames<sandtrail::gateway::DeliveryStatus> {
  using Status = sandtrail::gateway::DeliveryStatus;
  static constexpr std::array<std::pair<Status, std::string_view>, 3> names{
      {{Status::scheduled, "scheduled"},
       {Status::delivered, "delivered"},
       {Status::exhausted, "exhausted"}}};
};
