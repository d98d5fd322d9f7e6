// SPDX-License-Identifier: Apache-2.0
// Facts about one run of a program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "domain/common.h"

namespace sandtrail {

struct ExecutionLimits {
  std::int64_t wall_ms = 10'000;
  std::int64_t memory_mib = 256;
  std::int64_t cpu_millis = 1000;         // 1000 = one core
  std::int64_t processes = 64;            // processes and threads at once
  std::int64_t disk_mib = 64;             // work directory; memory-backed, so it counts as memory
  std::int64_t output_bytes = 64 * 1024;  // kept of each stream
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("wall_ms", s.wall_ms);
    v.with_default("memory_mib", s.memory_mib);
    v.with_default("cpu_millis", s.cpu_millis);
    v.with_default("processes", s.processes);
    v.with_default("disk_mib", s.disk_mib);
    v.with_default("output_bytes", s.output_bytes);
  }
};

// Every limit outside its bounds (base/limits.h), by pointer below `at`.
std::vector<reflect::Problem> check(const ExecutionLimits& limits, const std::string& at);

enum class ExecutionStatus {
  requested,  // waiting for admission and a host
  assigned,   // a host holds it, credits are held
  started,
  finished,  // terminal from here on
  rejected,
  cancelled,
  lost,
};
template <>
struct EnumNames<ExecutionStatus> {
  static constexpr std::array<std::pair<ExecutionStatus, std::string_view>, 7> names{
      {{ExecutionStatus::requested, "requested"},
       {ExecutionStatus::assigned, "assigned"},
       {ExecutionStatus::started, "started"},
       {ExecutionStatus::finished, "finished"},
       {ExecutionStatus::rejected, "rejected"},
       {ExecutionStatus::cancelled, "cancelled"},
       {ExecutionStatus::lost, "lost"}}};
};
inline bool is_terminal(ExecutionStatus status) {
  return status >= ExecutionStatus::finished;
}

enum class Verdict {
  ok,
  nonzero_exit,
  signaled,
  timeout,
  memory_limit,
  output_limit,
  process_limit,
  compile_error,
  cancelled,
  internal_error,
};
template <>
struct EnumNames<Verdict> {
  static constexpr std::array<std::pair<Verdict, std::string_view>, 10> names{
      {{Verdict::ok, "ok"},
       {Verdict::nonzero_exit, "nonzero_exit"},
       {Verdict::signaled, "signaled"},
       {Verdict::timeout, "timeout"},
       {Verdict::memory_limit, "memory_limit"},
       {Verdict::output_limit, "output_limit"},
       {Verdict::process_limit, "process_limit"},
       {Verdict::compile_error, "compile_error"},
       {Verdict::cancelled, "cancelled"},
       {Verdict::internal_error, "internal_error"}}};
};

struct ExecutionUsage {
  std::int64_t wall_us = 0;  // host's clock, start to end of the program
  std::int64_t cpu_us = 0;   // of all its processes
  std::int64_t memory_peak_bytes = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("wall_us", s.wall_us);
    v("cpu_us", s.cpu_us);
    v("memory_peak_bytes", s.memory_peak_bytes);
  }
};

struct ExecutionTimings {
  std::int64_t boot_us = 0;
  std::int64_t compile_us = 0;
  std::int64_t run_us = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("boot_us", s.boot_us);
    v("compile_us", s.compile_us);
    v("run_us", s.run_us);
  }
};

struct OutputFacts {
  std::int64_t total_bytes = 0;  // written by the program
  std::int64_t kept_bytes = 0;
  bool truncated = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("total_bytes", s.total_bytes);
    v("kept_bytes", s.kept_bytes);
    v("truncated", s.truncated);
  }
};

}  // namespace sandtrail
