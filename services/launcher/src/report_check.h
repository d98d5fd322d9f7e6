// SPDX-License-Identifier: Apache-2.0
// A host may be in somebody else's hands: it can lie about its own work, and no more.
#pragma once

#include "base/result.h"
#include "domain/event.h"
#include "domain/state.h"
#include "sealing/payload.h"

namespace sandtrail {

// invalid_argument if the result cannot be one of that execution, or is no record's content: a
// payload under another key, or of an object that somebody else made, or too much of anything.
// What stays are claims about the host's own work.
Status check_result(const ExecutionFinished& result, const ExecutionRow& row);

// invalid_argument if its payload is not what a program wrote within its limits, sealed for this
// attempt: nobody could show it. A key that is gone is no fault of the host's. A retryable error:
// the stores are away. Blocks for them.
Status check_output(Payloads& payloads, const ExecutionFinished& result,
                    std::int64_t output_bytes_max);

}  // namespace sandtrail
