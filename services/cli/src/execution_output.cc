// SPDX-License-Identifier: Apache-2.0
#include "execution_output.h"

#include <algorithm>
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

namespace {

std::int64_t number_at(const json::value& document, std::string_view name) {
  std::int64_t value = 0;
  const std::string text = shown(document, name);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "text" or "base64" of an event.
Bytes piece_bytes(const json::value& data) {
  if (const auto bytes = unbase64(shown(data, "base64")); bytes && !bytes->empty()) return *bytes;
  return shown(data, "text");
}

}  // namespace

void write_streams(Session& session, const json::value& execution) {
  LiveOutput(session).write_rest(execution);
}

Status LiveOutput::follow(Api& api, const std::string& id, Api::EventOptions options) {
  return api.events(
      "/v1/executions/" + query_text(id) + "/output",
      [this](const http::SseEvent& event) { return take(event); }, std::move(options));
}

bool LiveOutput::take(const http::SseEvent& event) {
  const auto parsed = json::parse(event.data);
  const json::value data = parsed.ok() ? *parsed : json::value(nullptr);
  if (event.event == "attempt") {
    if (out_bytes_ + err_bytes_ > 0) {
      session_.note("attempt " + printable(shown(data, "number")) +
                    ": the one before was lost, the program starts again");
    }
    attempt_ = number_at(data, "number");
    out_bytes_ = err_bytes_ = 0;
  } else if (event.event == "stdout" || event.event == "stderr") {
    take_bytes(event.event == "stdout", data);
  } else if (event.event == "gap") {
    session_.note("no output comes live for now (" + printable(shown(data, "reason")) +
                  "); what is missed comes at the end");
  } else if (event.event == "finished") {
    end_ = data;
    return false;
  }
  return !unread_;
}

void LiveOutput::take_bytes(bool out, const json::value& data) {
  std::size_t& seen = out ? out_bytes_ : err_bytes_;
  const Bytes bytes = piece_bytes(data);
  // Pieces come in order; one that does not is left to the document.
  if (number_at(data, "offset") != static_cast<std::int64_t>(seen)) return;
  seen += bytes.size();
  if (out) {
    unread_ = !session_.parts.out(bytes);
  } else {
    session_.parts.err(bytes);
  }
}

void LiveOutput::write_rest(const json::value& execution) {
  Session& session = session_;
  if (attempt_ != number_at(execution, "attempt")) out_bytes_ = err_bytes_ = 0;
  const Bytes out = stream_bytes(execution, "stdout");
  const Bytes err = stream_bytes(execution, "stderr");
  unread_ = !session.parts.out(BytesView(out).substr(std::min(out_bytes_, out.size())));
  session.parts.err(BytesView(err).substr(std::min(err_bytes_, err.size())));
  note_gone(session, execution);
}

void note_gone(Session& session, const json::value& execution) {
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
