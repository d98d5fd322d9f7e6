// SPDX-License-Identifier: Apache-2.0
// Events of executions. Who appends them: requests the gateway; all others the launcher that owns
// the partition, as its decision or as the report of the host that holds the attempt; erasure the
// retention role. Legality: src/legality_execution.cc.
#pragma once

#include "domain/execution.h"

namespace sandtrail {

// A tenant asks for a run. The payload holds code, stdin, files, environment, arguments, callback
// URL, thread and metadata.
struct ExecutionRequested {
  static constexpr std::string_view kType = "sandtrail.execution.requested";
  ExecutionId execution;
  std::string language;  // empty if a command was given
  ExecutionLimits limits;
  std::string network = "none";
  std::int64_t attempts_max = 1;      // runs at most, if attempts get lost
  std::optional<Millis> retention;    // after the end; absent: until deleted
  bool callback = false;              // the payload names a callback URL
  std::optional<Blob> thread_token;   // HMAC under the organisation's key
  std::vector<Blob> metadata_tokens;  // HMAC of each "key=value"
  SealedPayload payload;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v.with_default("language", s.language);
    v("limits", s.limits);
    v("network", s.network);
    v("attempts_max", s.attempts_max);
    v("retention_ms", s.retention);
    v("callback", s.callback);
    v("thread_token", s.thread_token);
    v("metadata_tokens", s.metadata_tokens);
    v("payload", s.payload);
  }
};

enum class RejectReason { insufficient_credits, secret_lost, unsupported, queue_timeout };
template <>
struct EnumNames<RejectReason> {
  static constexpr std::array<std::pair<RejectReason, std::string_view>, 4> names{
      {{RejectReason::insufficient_credits, "insufficient_credits"},
       {RejectReason::secret_lost, "secret_lost"},
       {RejectReason::unsupported, "unsupported"},
       {RejectReason::queue_timeout, "queue_timeout"}}};
};

struct ExecutionRejected {
  static constexpr std::string_view kType = "sandtrail.execution.rejected";
  ExecutionId execution;
  RejectReason reason = RejectReason::unsupported;
  std::string detail;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("reason", s.reason);
    v.with_default("detail", s.detail);
  }
};

// Applied before anything runs. Holds the worst case of credits.
struct ExecutionAssigned {
  static constexpr std::string_view kType = "sandtrail.execution.assigned";
  ExecutionId execution;
  std::int64_t attempt = 0;  // the fencing token: one higher each time
  HostId host;
  std::int64_t host_epoch = 0;  // counts the host's starts
  std::string host_address;     // of its data plane; empty for the built-in host
  MicroCredits hold;
  std::int64_t rate_card = 0;  // version
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("host", s.host);
    v("host_epoch", s.host_epoch);
    v.with_default("host_address", s.host_address);
    v("hold_microcredits", s.hold);
    v("rate_card", s.rate_card);
  }
};

// The host did not and will not launch this attempt. Only this means "not started".
struct ExecutionRefused {
  static constexpr std::string_view kType = "sandtrail.execution.refused";
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("host_epoch", s.host_epoch);
    v("reason", s.reason);
  }
};

struct ExecutionStarted {
  static constexpr std::string_view kType = "sandtrail.execution.started";
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("host_epoch", s.host_epoch);
  }
};

// The attempt is gone, and there may be another: its host is away with it, and the request allows
// for that; or the launcher that decides so never gave the order for it (`may_have_run` false), and
// then no run is used up.
struct ExecutionAttemptLost {
  static constexpr std::string_view kType = "sandtrail.execution.attempt_lost";
  ExecutionId execution;
  std::int64_t attempt = 0;
  bool may_have_run = true;
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("may_have_run", s.may_have_run);
    v("reason", s.reason);
  }
};

// The report of the host that ran it. The payload holds stdout and stderr.
struct ExecutionFinished {
  static constexpr std::string_view kType = "sandtrail.execution.finished";
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  Verdict verdict = Verdict::internal_error;
  std::string cause;                  // stable snake_case: "exit", "kernel_oom", "wall_time" …
  std::string decided_by;             // "program", "kernel", "host", "caller"
  std::vector<std::string> evidence;  // limits hit and survived, and other observations
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  ExecutionUsage usage;
  ExecutionTimings timings;
  OutputFacts out;
  OutputFacts err;
  std::string isolation;  // "process" or "vm"
  std::vector<std::string> controls;
  std::vector<std::string> controls_missing;
  std::optional<SealedPayload> payload;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("host_epoch", s.host_epoch);
    v("verdict", s.verdict);
    v("cause", s.cause);
    v("decided_by", s.decided_by);
    v("evidence", s.evidence);
    v("exit_code", s.exit_code);
    v("signal", s.signal);
    v("usage", s.usage);
    v("timings", s.timings);
    v("stdout", s.out);
    v("stderr", s.err);
    v("isolation", s.isolation);
    v("controls", s.controls);
    v("controls_missing", s.controls_missing);
    v("payload", s.payload);
  }
};

struct ExecutionCancelRequested {
  static constexpr std::string_view kType = "sandtrail.execution.cancel_requested";
  ExecutionId execution;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
  }
};

// Legal only while no host holds it; later the host's finished{cancelled} or lost ends it.
struct ExecutionCancelled {
  static constexpr std::string_view kType = "sandtrail.execution.cancelled";
  ExecutionId execution;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
  }
};

struct ExecutionLost {
  static constexpr std::string_view kType = "sandtrail.execution.lost";
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("reason", s.reason);
  }
};

// From here on every reader drops its copy of the payloads; then the key is destroyed.
struct ExecutionErased {
  static constexpr std::string_view kType = "sandtrail.execution.erased";
  ExecutionId execution;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
  }
};

struct ExecutionKeyDestroyed {
  static constexpr std::string_view kType = "sandtrail.execution.key_destroyed";
  ExecutionId execution;
  DataKeyId key;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("key", s.key);
  }
};

}  // namespace sandtrail
