// SPDX-License-Identifier: Apache-2.0
#include "execution_output.h"

#include <charconv>

#include "api.h"
#include "domain/execution.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

constexpr int kExitTimeout = 124;
constexpr int kExitOther = 125;
constexpr int kExitSignal = 128;  // + its number, as shells do

// How it ended, in one word or two.
std::string end_of(const json::value& execution) {
  const std::string verdict = shown(execution, "verdict");
  if (verdict.empty()) {
    const std::string reason =
        shown_at(execution, "rejection.reason") + shown(execution, "lost_reason");
    return shown(execution, "status") + (reason.empty() ? "" : " (" + reason + ")");
  }
  if (verdict == "nonzero_exit") return "exit " + shown(execution, "exit_code");
  if (verdict == "signaled") return "signal " + shown(execution, "signal");
  return verdict;
}

}  // namespace

bool is_over(const json::value& execution) {
  const auto status = enum_from<ExecutionStatus>(shown(execution, "status"));
  return status && is_terminal(*status);
}

Bytes stream_bytes(const json::value& execution, const std::string& name) {
  if (auto bytes = unbase64(shown(execution, name + "_base64")); bytes && !bytes->empty()) {
    return std::move(*bytes);
  }
  return shown(execution, name);
}

void write_streams(Session& session, const json::value& execution) {
  session.parts.out(stream_bytes(execution, "stdout"));
  session.parts.err(stream_bytes(execution, "stderr"));
  for (const std::string name : {"stdout", "stderr"}) {
    if (shown(execution, name + "_truncated") != "true") continue;
    session.note(name + " was cut: the program wrote " + shown(execution, name + "_bytes") +
                 " bytes; --output-bytes keeps more");
  }
  if (shown(execution, "erased") == "true") session.note("its contents are erased");
}

std::string summary_of(const Session& session, const json::value& execution) {
  const std::string verdict = shown(execution, "verdict");
  std::string out =
      session.painted_error(end_of(execution), verdict == "ok" ? Color::green : Color::red);
  if (const auto wall = cell(execution, "usage.wall_us"); !wall.empty()) out += " in " + wall;
  if (const auto settled = cell(execution, "cost.settled_microcredits"); !settled.empty()) {
    out += ", " + settled + " credits";
  } else if (const auto held = cell(execution, "cost.hold_microcredits"); !held.empty()) {
    out += ", at most " + held + " credits";
  }
  return out + ", " + shown(execution, "id");
}

int exit_code_of(const json::value& execution) {
  const std::string verdict = shown(execution, "verdict");
  if (verdict == "ok") return 0;
  if (verdict == "timeout") return kExitTimeout;
  const bool signaled = verdict == "signaled";
  if (!signaled && verdict != "nonzero_exit") return kExitOther;
  const std::string text = shown(execution, signaled ? "signal" : "exit_code");
  int code = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), code);
  if (parsed.ec != std::errc() || code <= 0 || code > (signaled ? 127 : 255)) return kExitOther;
  return signaled ? kExitSignal + code : code;
}

}  // namespace sandtrail::cli
