// SPDX-License-Identifier: Apache-2.0
#include "domain/execution.h"

namespace sandtrail {

std::vector<reflect::Problem> check(const ExecutionLimits& l, const std::string& at) {
  std::vector<reflect::Problem> problems;
  const auto within = [&](std::string_view name, std::int64_t value, std::int64_t low,
                          std::int64_t high) {
    if (value >= low && value <= high) return;
    problems.push_back({json::pointer_to(at, name),
                        "must be from " + std::to_string(low) + " to " + std::to_string(high)});
  };
  within("wall_ms", l.wall_ms, limits::kWallMsMin, limits::kWallMsMax);
  within("memory_mib", l.memory_mib, limits::kMemoryMibMin, limits::kMemoryMibMax);
  within("cpu_millis", l.cpu_millis, limits::kCpuMillisMin, limits::kCpuMillisMax);
  within("processes", l.processes, limits::kProcessesMin, limits::kProcessesMax);
  within("disk_mib", l.disk_mib, limits::kDiskMibMin, limits::kDiskMibMax);
  within("output_bytes", l.output_bytes, 0, limits::kOutputBytesMax);
  return problems;
}

}  // namespace sandtrail
