// SPDX-License-Identifier: Apache-2.0
#include "report_check.h"

#include "base/limits.h"
#include "domain/payloads.h"

namespace sandtrail {
namespace {

Error nonsense(std::string what) {
  return {ErrorCode::invalid_argument, std::move(what), ""};
}

bool counts_are_fine(const ExecutionFinished& r) {
  for (const std::int64_t count :
       {r.usage.wall_us, r.usage.cpu_us, r.usage.memory_peak_bytes, r.timings.boot_us,
        r.timings.compile_us, r.timings.run_us, r.out.total_bytes, r.out.kept_bytes,
        r.err.total_bytes, r.err.kept_bytes}) {
    if (count < 0) return false;
  }
  return true;
}

}  // namespace

Status check_result(const ExecutionFinished& result, const ExecutionRow& row) {
  if (!counts_are_fine(result)) return nonsense("a count is negative");
  std::size_t bytes = result.cause.size() + result.decided_by.size() + result.isolation.size();
  std::size_t texts = 0;
  for (const auto* list : {&result.evidence, &result.controls, &result.controls_missing}) {
    texts += list->size();
    for (const std::string& text : *list) bytes += text.size();
  }
  if (bytes > limits::kHostFactsBytesMax || texts > limits::kHostFactsMax) {
    return nonsense("it says too much");
  }
  if (!result.payload) return {};
  const SealedPayload& payload = *result.payload;
  if (payload.key != row.key) return nonsense("its output is under another key");
  if (!payload.object.empty()) return nonsense("its output is an object");
  if (payload.sealed.bytes.empty() || payload.bytes < 0 ||
      payload.sealed.bytes.size() > limits::kHostOutputBytesMax ||
      static_cast<std::size_t>(payload.bytes) > payload.sealed.bytes.size()) {
    return nonsense("its output has a size that it cannot have");
  }
  return {};
}

Status check_output(Payloads& payloads, const ExecutionFinished& result,
                    std::int64_t output_bytes_max) {
  if (!result.payload) return {};
  const PayloadPurpose purpose{"output", std::to_string(result.attempt)};
  const auto output = payloads.open_json<ExecutionOutput>(purpose, *result.payload);
  if (!output.ok()) {
    const Error& error = output.error();
    if (error.retryable()) return error;
    if (error.code == ErrorCode::not_found) return {};  // erased meanwhile
    return nonsense("its output cannot be opened");
  }
  for (const Blob* stream : {&output->out, &output->err}) {
    if (static_cast<std::int64_t>(stream->bytes.size()) > output_bytes_max) {
      return nonsense("its output is longer than what is kept of it");
    }
  }
  return {};
}

}  // namespace sandtrail
