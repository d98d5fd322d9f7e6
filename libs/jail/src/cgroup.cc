// SPDX-License-Identifier: Apache-2.0
#include "jail/cgroup.h"

#include <poll.h>

#include "base/file.h"
#include "cgroup_directory.h"

namespace sandtrail::jail {
namespace {

constexpr std::size_t kMountinfoBytesMax = 4 << 20;
constexpr int kReapTries = 200;
constexpr int kReapPauseMs = 10;

}  // namespace

Result<std::unique_ptr<CgroupTree>> open_cgroup_tree(const std::string& instance) {
  ST_ASSIGN(const auto mountinfo, read_file("/proc/self/mountinfo", kMountinfoBytesMax));
  const auto mounts = parse_cgroup_mounts(mountinfo);
  const bool v1 = mounts.v1.contains("memory") && mounts.v1.contains("pids");
  if (!v1 && !mounts.v2.empty()) return open_v2_tree(mounts, instance, true);
  ST_ASSIGN(auto v1_tree, open_v1_tree(mounts, instance, !mounts.v2.empty()));
  if (mounts.v2.empty()) return v1_tree;
  ST_ASSIGN(auto v2_tree, open_v2_tree(mounts, instance, false));
  return make_hybrid_tree(std::move(v1_tree), std::move(v2_tree));
}

Status reap_cgroup(Cgroup& group) {
  Status status;
  for (int tried = 0; tried < kReapTries; ++tried) {
    (void)group.kill_all();
    status = group.remove();
    if (status.ok()) return status;
    ::poll(nullptr, 0, kReapPauseMs);  // dying processes leave on their own schedule
  }
  return status;
}

}  // namespace sandtrail::jail
