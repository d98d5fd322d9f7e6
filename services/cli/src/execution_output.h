// SPDX-License-Identifier: Apache-2.0
// What came of an execution, as its document says.
#pragma once

#include <string>

#include "session.h"

namespace sandtrail::cli {

// True once nothing more can happen to it but its bill and erasure.
bool is_over(const json::value& execution);
// The bytes of "stdout" or "stderr", exactly.
Bytes stream_bytes(const json::value& execution, const std::string& name);
// Both streams to our own; notes what was cut.
void write_streams(Session& session, const json::value& execution);
// "ok in 12.3 ms, 0.0031 credits, exe_…".
std::string summary_of(const Session& session, const json::value& execution);
// Of `run`: cli/cli.h.
int exit_code_of(const json::value& execution);

}  // namespace sandtrail::cli
