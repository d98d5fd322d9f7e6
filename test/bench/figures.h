// SPDX-License-Identifier: Apache-2.0
// What a measuring program prints; run.py says what its keys mean.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace sandtrail::bench {

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
