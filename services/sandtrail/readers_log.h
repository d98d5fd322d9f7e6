// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "event_log/event_log.h"

namespace sandtrail {

// The log as verbs read it that change nothing: that of the settings, if there are any; else the
// one that a process of the data directory, or of its role in one below it, has noted; else the
// embedded one in the directory.
Result<std::unique_ptr<EventLog>> open_readers_log(const std::string& data_directory,
                                                   const std::optional<Config>& config,
                                                   const Clock& clock);

}  // namespace sandtrail
