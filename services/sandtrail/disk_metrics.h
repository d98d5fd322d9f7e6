// SPDX-License-Identifier: Apache-2.0
// What a process takes of its disk, and what is left of it.
#pragma once

#include <cstdint>
#include <string>

#include "obs/metrics.h"

namespace sandtrail {

// Sets, of the process with this directory:
//   disk_bytes{part}     its log, store and keys, as far as they are files of its own
//   disk_free_bytes      free on that disk for this user
//   disk_reserve_bytes   below it appends are refused; 0: the log is not on this disk
void set_disk_metrics(Metrics& metrics, const std::string& directory, std::uint64_t reserve_bytes);

}  // namespace sandtrail
