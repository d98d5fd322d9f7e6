// SPDX-License-Identifier: Apache-2.0
#include "requests.h"
#include "text.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

std::optional<std::string> if_any(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

void show_stream(StreamView& view, const OutputFacts& facts, const Bytes* kept) {
  view.bytes = facts.total_bytes;
  view.truncated = facts.truncated;
  if (kept == nullptr) return;
  if (is_utf8(*kept)) {
    view.text = *kept;
  } else {
    view.text = mend_utf8(*kept);
    view.base64 = Blob{*kept};
  }
}

void show_result(ExecutionView& view, const ResultDoc& result, const ExecutionOutput* output) {
  view.verdict = result.verdict;
  view.cause = if_any(result.cause);
  view.decided_by = if_any(result.decided_by);
  view.evidence = result.evidence;
  view.exit_code = result.exit_code;
  view.signal = result.signal;
  show_stream(view.out, result.out, output != nullptr ? &output->out.bytes : nullptr);
  show_stream(view.err, result.err, output != nullptr ? &output->err.bytes : nullptr);
  view.usage = result.usage;
  view.isolation = if_any(result.isolation);
  view.controls = result.controls;
  view.controls_missing = result.controls_missing;
}

std::optional<TimingsView> timings_of(const ExecutionDoc& doc) {
  if (!doc.assigned) return std::nullopt;
  TimingsView view;
  view.queue_us = (*doc.assigned - doc.created).count * 1000;
  if (doc.result) {
    view.boot_us = doc.result->timings.boot_us;
    view.compile_us = doc.result->timings.compile_us;
    view.run_us = doc.result->timings.run_us;
  }
  return view;
}

std::string retention_text(const std::optional<Millis>& retention) {
  if (!retention) return "indefinite";
  for (const auto& [name, span] : {std::pair{"1h", hours(1)}, std::pair{"24h", hours(24)},
                                   std::pair{"7d", days(7)}, std::pair{"30d", days(30)}}) {
    if (*retention == span) return name;
  }
  return std::to_string(retention->count / 1000) + "s";
}

}  // namespace

ExecutionView view_of(const ExecutionDoc& doc, const TopicPartition& where,
                      const ExecutionInput* input, const ExecutionOutput* output) {
  ExecutionView view;
  view.id = doc.id;
  view.status = doc.status;
  view.language = if_any(doc.language);
  view.limits = doc.limits;
  view.network = doc.network;
  view.created = doc.created;
  view.started = doc.started;
  view.ended = doc.ended;
  view.attempt = doc.attempt;
  view.max_attempts = doc.attempts_max;
  view.host = doc.host;
  view.cancel_requested = doc.cancel_requested;
  if (doc.result) show_result(view, *doc.result, output);
  view.timings = timings_of(doc);
  if (doc.hold) view.cost = CostView{*doc.hold, doc.settled, {}};
  if (doc.hold && doc.settled) view.cost->credits = credits_text(*doc.settled);
  if (doc.status == ExecutionStatus::rejected) {
    view.rejection = RejectionView{doc.reason, if_any(doc.detail)};
  }
  if (doc.status == ExecutionStatus::lost) view.lost_reason = doc.reason;
  if (input != nullptr) {
    view.metadata = input->metadata;
    view.thread = if_any(input->thread);
  }
  view.retention = retention_text(doc.retention);
  if (doc.ended && doc.retention) view.expires = *doc.ended + *doc.retention;
  view.erased = doc.erased;
  view.callback = doc.callback;
  view.request_id = if_any(doc.request_id);
  view.position = where.text() + "/" + std::to_string(doc.position);
  view.urls.self = "/v1/executions/" + doc.id.text();
  view.urls.events = view.urls.self + "/events";
  view.urls.output = view.urls.self + "/output";
  view.urls.deliveries = view.urls.self + "/deliveries";
  return view;
}

}  // namespace sandtrail::gateway
