// SPDX-License-Identifier: Apache-2.0
// Filling an embedded log with the records of another one.
//
// A directory that is being filled holds `unfinished` besides the parts of a log; it is removed as
// the last step of finish(), after head mark and identity are durable. Whoever opens the directory
// before is told that it is an unfinished copy.
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "event_log/log_import.h"

namespace sandtrail {

// `identity` is that of the log to be, 32 hex digits; empty: a fresh one. A partition may begin at
// any position. Errors: conflict (another process has it open, or the directory holds a log
// already), corrupt, disk_full, denied, internal.
Result<std::unique_ptr<LogImport>> open_embedded_import(const std::string& directory,
                                                        const std::string& identity,
                                                        Random& random);

// Keeps everybody from opening the log for writing while the handle lives. conflict while somebody
// has it open; not_found if there is no log.
Result<std::shared_ptr<void>> hold_embedded_log(const std::string& directory);

}  // namespace sandtrail
