// SPDX-License-Identifier: Apache-2.0
// The text formats of cgroup files, pure. Sources: Linux Documentation/admin-guide/cgroup-v2.rst
// and cgroup-v1/{memory,pids,cpuacct}.rst; proc(5) for mountinfo.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandtrail::jail {

struct CgroupLimits {
  std::int64_t memory_bytes = 0;  // swap is forbidden on top of it
  std::int64_t processes = 0;     // tasks: processes and threads
  std::int64_t cpu_millis = 0;    // 1000 = one core
};

struct CgroupUsage {
  std::int64_t cpu_us = 0;
  std::int64_t memory_peak_bytes = 0;
  std::int64_t oom_kills = 0;      // processes the kernel killed for memory
  std::int64_t fork_refusals = 0;  // forks and clones refused by the process limit
};

// One file to be written, in order. `optional` files may be missing on the host; the control they
// implement is then reported as missing.
struct CgroupWrite {
  std::string_view controller;  // "memory", "pids", "cpu"
  std::string_view file;
  std::string value;
  bool optional = false;
};
std::vector<CgroupWrite> v1_limit_writes(const CgroupLimits& limits);
std::vector<CgroupWrite> v2_limit_writes(const CgroupLimits& limits);

// "123\n" → 123. "max" and anything else → nullopt.
std::optional<std::int64_t> parse_count(std::string_view text);
// The number behind `key` in lines of "key number"; nullopt if there is none.
std::optional<std::int64_t> parse_keyed(std::string_view text, std::string_view key);

// Where the hierarchies are mounted.
struct CgroupMounts {
  std::map<std::string, std::string, std::less<>> v1;  // controller → mount point
  std::string v2;                                      // empty: not mounted
};
// From the text of /proc/self/mountinfo; the first mount of each counts. Octal escapes undone.
CgroupMounts parse_cgroup_mounts(std::string_view mountinfo);

// The path of this process in the v2 hierarchy, from /proc/self/cgroup ("0::/path").
std::optional<std::string> parse_own_v2_path(std::string_view proc_self_cgroup);

// True for names this product may create and remove: "sandtrail-" and then letters, digits,
// '-', '_', at most 96 bytes.
bool is_owned_name(std::string_view name);

}  // namespace sandtrail::jail
