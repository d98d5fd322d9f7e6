// SPDX-License-Identifier: Apache-2.0
#include "opened.h"

namespace sandtrail::gateway {
namespace {

template <typename T>
Status open_one(Payloads& payloads, OpenedExecution& opened, const PayloadPurpose& purpose,
                const std::optional<SealedPayload>& sealed, std::optional<T>& out) {
  if (!sealed || opened.doc.erased) return {};
  auto content = payloads.open_json<T>(purpose, *sealed);
  if (content.ok()) {
    out = std::move(content).value();
  } else if (content.error().code == ErrorCode::not_found) {
    opened.doc.erased = true;
  } else {
    return content.error();
  }
  return {};
}

Status open_output_of(Payloads& payloads, OpenedExecution& opened) {
  const PayloadPurpose purpose{"output", std::to_string(opened.doc.attempt)};
  return open_one(payloads, opened, purpose, opened.doc.output, opened.output);
}

}  // namespace

Result<OpenedExecution> open_output(Payloads& payloads, const ExecutionDoc& doc) {
  OpenedExecution opened;
  opened.doc = doc;
  ST_CHECK_OK(open_output_of(payloads, opened));
  return opened;
}

Result<OpenedExecution> open_execution(Payloads& payloads, const ExecutionDoc& doc,
                                       bool with_output) {
  OpenedExecution opened;
  opened.doc = doc;
  ST_CHECK_OK(open_one(payloads, opened, {"input", ""}, doc.input, opened.input));
  if (with_output) ST_CHECK_OK(open_output_of(payloads, opened));
  if (opened.doc.erased) {
    opened.input.reset();
    opened.output.reset();
  }
  return opened;
}

}  // namespace sandtrail::gateway
