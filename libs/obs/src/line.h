// SPDX-License-Identifier: Apache-2.0
// One log line as bytes. Pure.
#pragma once

#include <string>

#include "obs/log.h"

namespace sandtrail {

// Ends with "\n". The formats are those of obs/log.h.
std::string json_line(UnixMs time, LogLevel level, std::string_view message, LogFields fields);
std::string text_line(UnixMs time, LogLevel level, std::string_view message, LogFields fields);

}  // namespace sandtrail
