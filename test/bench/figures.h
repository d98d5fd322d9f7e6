// SPDX-License-Identifier: Apache-2.0
// What a measuring program prints; run.py says what its keys mean.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace sandtrail::bench {

// CPU time of the calling thread: what one thread computes is measured by it, so that others on the
// machine disturb less.
inline std::int64_t thread_cpu_us() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000 + used.tv_nsec / 1000;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// `more`: further members, each with a comma before it; may be empty.
inline void print_row(const std::string& name, const char* unit, double value, const char* baseline,
                      double baseline_value, const std::string& more = "") {
  std::printf(
      "{\"name\":\"%s\",\"unit\":\"%s\",\"value\":%.4g,\"baseline\":\"%s\","
      "\"baseline_value\":%.4g%s}\n",
      name.c_str(), unit, value, baseline, baseline_value, more.c_str());
  std::fflush(stdout);
}

}  // namespace sandtrail::bench
