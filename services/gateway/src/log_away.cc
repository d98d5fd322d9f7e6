// SPDX-License-Identifier: Apache-2.0
#include "log_away.h"

namespace sandtrail::gateway {
namespace {

constexpr std::string_view kRetryAfterSeconds = "5";

bool too_long(const Context& context, const LogAway& away) {
  // A log that has failed for good does not come back by waiting.
  return away.code == ErrorCode::internal ||
         context.clock.now() - away.since > context.options.log_away;
}

std::string since_text(const LogAway& away) {
  return "since " + rfc3339(away.since);
}

}  // namespace

std::optional<Problem> away_problem(const Context& context, const std::optional<LogAway>& away) {
  if (!away || !too_long(context, *away)) return std::nullopt;
  const bool full = away->code == ErrorCode::disk_full;
  // The reason names brokers or paths: for operators, who find it in /readyz and in the log lines.
  return Problem{full ? "storage_full" : "log_away",
                 "nothing was done; the log takes nothing " + since_text(*away),
                 {},
                 {{"Retry-After", std::string(kRetryAfterSeconds)}}};
}

Problem refused(const Error& error) {
  return {"log_away",
          "nothing was done; " + error.message,
          {},
          {{"Retry-After", std::string(kRetryAfterSeconds)}}};
}

std::string not_ready_because(const Context& context) {
  std::string because = context.runtime.not_ready_because();
  if (!because.empty()) {
    const std::string log = context.log.health().reason;
    return log.empty() || because.find(log) != std::string::npos ? because : because + "; " + log;
  }
  const auto away = context.runtime.away();
  return away && too_long(context, *away)
             ? "the log is away " + since_text(*away) + ": " + away->reason
             : "";
}

}  // namespace sandtrail::gateway
