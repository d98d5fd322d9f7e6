// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

#include <chrono>

#include "base/assert.h"

namespace sandtrail {

UnixMs SystemClock::now() const {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::int64_t SystemClock::monotonic_us() const {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::boot_us() const {
  timespec now{};
  ST_ASSERT(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace sandtrail
