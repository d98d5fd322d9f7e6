// SPDX-License-Identifier: Apache-2.0
// The seam for fault tests: an embedded log whose records go through a given rocksdb::Env.
#pragma once

#include "log_embedded/embedded_log.h"

namespace rocksdb {
class Env;
}

namespace sandtrail {

// As open_embedded_log(); `env` must outlive the log. The head mark does not go through it.
Result<std::unique_ptr<EventLog>> open_embedded_log_on_env(const std::string& directory,
                                                           const EmbeddedLogOptions& options,
                                                           const Clock& clock, Random& random,
                                                           rocksdb::Env& env);

}  // namespace sandtrail
