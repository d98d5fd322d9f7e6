// SPDX-License-Identifier: Apache-2.0
// From append to visible in another process.
#pragma once

#include <cstdint>
#include <vector>

#include "kafka_appender.h"

namespace sandtrail::bench {

// Prints {"p50_ms", "p99_ms", "mean_ms"} of what is in microseconds.
void print_quantiles(std::vector<std::int64_t> waits_us);

// Appends `rate` records a second; a process that it forks reads them the same way (port or bare)
// and says how old each was by the clock both share. Prints as above, without the warm-up. Call it
// before this process has another thread.
void append_and_watch(const Target& target, std::uint64_t warmup, std::uint64_t records,
                      std::uint64_t rate);

}  // namespace sandtrail::bench
