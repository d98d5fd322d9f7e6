// SPDX-License-Identifier: Apache-2.0
// Resource limits of each process in a sandbox (setrlimit(2)); those of the sandbox as a whole are
// cgroup limits.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace sandtrail::jail {

// For the calling process and all it starts: no core dumps, files at most `file_bytes`, bounded
// descriptors, stack and locked memory, no priority above the usual. Limits are only ever lowered.
Status set_rlimits(std::int64_t file_bytes);

}  // namespace sandtrail::jail
