// SPDX-License-Identifier: Apache-2.0
#include "jail/cgroup_format.h"

#include <charconv>

namespace sandtrail::jail {
namespace {

constexpr std::int64_t kCpuPeriodUs = 100'000;  // the kernel's default
constexpr std::string_view kPrefix = "sandtrail-";
constexpr std::size_t kNameBytesMax = 96;

// Cuts the next part off `text` at `separator`.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

std::int64_t cpu_quota_us(const CgroupLimits& limits) {
  return limits.cpu_millis * kCpuPeriodUs / 1000;
}

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = 0;
    if (text[i] == '\\' && i + 3 < text.size() + 0 &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr ==
            text.data() + i + 4) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::vector<CgroupWrite> v1_limit_writes(const CgroupLimits& limits) {
  const auto memory = std::to_string(limits.memory_bytes);
  return {
      {"memory", "memory.limit_in_bytes", memory, false},
      // Memory and swap together: the same figure leaves nothing to swap.
      {"memory", "memory.memsw.limit_in_bytes", memory, true},
      // TCP buffers are counted in v1 only once a limit is set.
      {"memory", "memory.kmem.tcp.limit_in_bytes", memory, true},
      {"pids", "pids.max", std::to_string(limits.processes), false},
      {"cpu", "cpu.cfs_period_us", std::to_string(kCpuPeriodUs), true},
      {"cpu", "cpu.cfs_quota_us", std::to_string(cpu_quota_us(limits)), true},
  };
}

std::vector<CgroupWrite> v2_limit_writes(const CgroupLimits& limits) {
  return {
      {"memory", "memory.max", std::to_string(limits.memory_bytes), false},
      {"memory", "memory.swap.max", "0", true},
      {"pids", "pids.max", std::to_string(limits.processes), false},
      {"cpu", "cpu.max", std::to_string(cpu_quota_us(limits)) + " " + std::to_string(kCpuPeriodUs),
       true},
  };
}

std::optional<std::int64_t> parse_count(std::string_view text) {
  const auto line = take(text, '\n');
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end != line.data() + line.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_keyed(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    auto line = take(text, '\n');
    if (take(line, ' ') == key) return parse_count(line);
  }
  return std::nullopt;
}

CgroupMounts parse_cgroup_mounts(std::string_view mountinfo) {
  CgroupMounts mounts;
  while (!mountinfo.empty()) {
    auto line = take(mountinfo, '\n');
    // id parent major:minor root mount-point options [optional…] - type source super-options
    for (int skipped = 0; skipped < 4; ++skipped) take(line, ' ');
    const auto mount_point = take(line, ' ');
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    line.remove_prefix(dash + 3);
    const auto type = take(line, ' ');
    take(line, ' ');
    if (type == "cgroup2" && mounts.v2.empty()) mounts.v2 = unescape(mount_point);
    if (type != "cgroup") continue;
    while (!line.empty())
      mounts.v1.try_emplace(std::string(take(line, ',')), unescape(mount_point));
  }
  return mounts;
}

std::optional<std::string> parse_own_v2_path(std::string_view proc_self_cgroup) {
  while (!proc_self_cgroup.empty()) {
    const auto line = take(proc_self_cgroup, '\n');
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return std::nullopt;
}

bool is_owned_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() > kNameBytesMax) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
  }
  return name.size() > kPrefix.size();
}

}  // namespace sandtrail::jail
