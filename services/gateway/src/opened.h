// SPDX-License-Identifier: Apache-2.0
// An execution with its payloads open.
#pragma once

#include <optional>

#include "documents.h"
#include "domain/payloads.h"
#include "sealing/payload.h"

namespace sandtrail::gateway {

struct OpenedExecution {
  ExecutionDoc doc;  // erased is set if a payload's key is gone
  std::optional<ExecutionInput> input;
  std::optional<ExecutionOutput> output;
};

// May block. `with_output` false: the input only. A payload whose key is destroyed is erased,
// whatever is folded so far.
Result<OpenedExecution> open_execution(Payloads& payloads, const ExecutionDoc& doc,
                                       bool with_output = true);

// The output only. May block.
Result<OpenedExecution> open_output(Payloads& payloads, const ExecutionDoc& doc);

}  // namespace sandtrail::gateway
