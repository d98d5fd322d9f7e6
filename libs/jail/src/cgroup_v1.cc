// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <map>

#include "base/assert.h"
#include "cgroup_directory.h"

namespace sandtrail::jail {
namespace {

// Directory descriptors by controller; co-mounted controllers (cpu,cpuacct) share one.
struct V1Directories {
  std::vector<InstanceDirectory> fds;
  std::map<std::string, std::size_t, std::less<>> index;

  int of(std::string_view controller) const {
    const auto found = index.find(controller);
    return found == index.end() ? -1 : fds[found->second].get();
  }
};

class V1Group final : public Cgroup {
 public:
  V1Group(const V1Directories& parents, std::string name)
      : parents_(parents), name_(std::move(name)) {}

  Status make() {
    for (const auto& parent : parents_.fds) {
      auto fd = make_directory(parent.get(), name_);
      if (!fd.ok()) {
        // Only what was made here: the rest may be another sandbox's.
        for (std::size_t made = 0; made < fds_.size(); ++made) {
          (void)remove_directory(parents_.fds[made].get(), name_);
        }
        return fd.error();
      }
      fds_.push_back(std::move(fd).value());
    }
    return {};
  }

  void open_existing() {
    for (const auto& parent : parents_.fds) fds_.push_back(open_directory(parent.get(), name_));
  }

  Status limit(const CgroupLimits& limits) {
    for (const auto& write : v1_limit_writes(limits)) {
      const int directory = of(write.controller);
      if (directory < 0 && write.optional) continue;
      const auto status = write_file_at(directory, write.file.data(), write.value);
      if (!status.ok() && !write.optional) return status;
      // A missing file is a missing control (known from the tree); a refused value is an error.
      if (!status.ok() && file_exists(directory, write.file.data())) return status;
    }
    return {};
  }

  int clone_fd() const override { return -1; }

  Status enter() const override {
    for (const auto& fd : fds_) ST_CHECK_OK(write_file_at(fd.get(), "cgroup.procs", "0"));
    return {};
  }

  CgroupUsage usage() const override {
    CgroupUsage usage;
    const int memory = of("memory");
    usage.memory_peak_bytes =
        parse_count(read_file_at(memory, "memory.max_usage_in_bytes")).value_or(0);
    usage.oom_kills =
        parse_keyed(read_file_at(memory, "memory.oom_control"), "oom_kill").value_or(0);
    usage.fork_refusals = parse_keyed(read_file_at(of("pids"), "pids.events"), "max").value_or(0);
    if (const int cpuacct = of("cpuacct"); cpuacct >= 0) {
      usage.cpu_us = parse_count(read_file_at(cpuacct, "cpuacct.usage")).value_or(0) / 1000;
    }
    return usage;
  }

  Status kill_all() override {
    const int pids = of("pids");
    if (pids < 0) return {};
    // Frozen processes cannot fork away from the list; SIGKILL waits until they thaw.
    const int freezer = of("freezer");
    if (freezer >= 0) (void)write_file_at(freezer, "freezer.state", "FROZEN");
    for (const int pid : read_pids(pids)) ::kill(pid, SIGKILL);
    if (freezer >= 0) return write_file_at(freezer, "freezer.state", "THAWED");
    return {};
  }

  Status remove() override {
    Status result;
    for (const auto& parent : parents_.fds) {
      const auto status = remove_directory(parent.get(), name_);
      if (!status.ok()) result = status;
    }
    return result;
  }

 private:
  int of(std::string_view controller) const {
    const auto found = parents_.index.find(controller);
    if (found == parents_.index.end() || found->second >= fds_.size()) return -1;
    return fds_[found->second].get();
  }

  const V1Directories& parents_;
  std::string name_;
  std::vector<UniqueFd> fds_;
};

class V1Tree final : public CgroupTree {
 public:
  explicit V1Tree(V1Directories directories) : directories_(std::move(directories)) {}

  Result<std::unique_ptr<Cgroup>> create(const std::string& name,
                                         const CgroupLimits& limits) override {
    auto group = std::make_unique<V1Group>(directories_, name);
    ST_CHECK_OK(group->make());
    if (const auto status = group->limit(limits); !status.ok()) {
      (void)group->remove();
      return status.error();
    }
    return std::unique_ptr<Cgroup>(std::move(group));
  }

  std::unique_ptr<Cgroup> adopt(const std::string& name) override {
    auto group = std::make_unique<V1Group>(directories_, name);
    group->open_existing();
    return group;
  }

  std::vector<std::string> list() const override {
    std::vector<std::string> names;
    for (const auto& fd : directories_.fds) list_owned_directories(fd.get(), names);
    return names;
  }

  std::vector<std::string> controls() const override {
    std::vector<std::string> names{"cgroup.memory", "cgroup.pids"};
    if (limits_cpu()) names.emplace_back("cgroup.cpu");
    if (limits_swap()) names.emplace_back("cgroup.swap");
    return names;
  }

  std::vector<std::string> controls_missing() const override {
    std::vector<std::string> names;
    if (!limits_cpu()) names.emplace_back("cgroup.cpu");
    if (!limits_swap()) names.emplace_back("cgroup.swap");
    return names;
  }

 private:
  bool limits_cpu() const {
    return directories_.of("cpu") >= 0 && file_exists(directories_.of("cpu"), "cpu.cfs_quota_us");
  }
  bool limits_swap() const {
    return file_exists(directories_.of("memory"), "memory.memsw.limit_in_bytes");
  }

  V1Directories directories_;
};

}  // namespace

Result<std::unique_ptr<CgroupTree>> open_v1_tree(const CgroupMounts& mounts,
                                                 const std::string& instance, bool beside_v2) {
  // The v2 tree counts CPU time and kills; without it v1 needs two controllers more.
  std::vector<std::string> wanted{"memory", "pids", "cpu"};
  if (!beside_v2) wanted.insert(wanted.end(), {"cpuacct", "freezer"});
  V1Directories directories;
  std::map<std::string, std::size_t> by_path;
  for (const auto& controller : wanted) {
    const auto mount = mounts.v1.find(controller);
    if (mount == mounts.v1.end()) continue;
    const auto& path = mount->second;
    if (const auto known = by_path.find(path); known != by_path.end()) {
      directories.index.emplace(controller, known->second);
      continue;
    }
    // One lock is enough to own the instance.
    ST_ASSIGN(auto fd, InstanceDirectory::open(path, instance, directories.fds.empty()));
    by_path.emplace(path, directories.fds.size());
    directories.index.emplace(controller, directories.fds.size());
    directories.fds.push_back(std::move(fd));
  }
  if (directories.of("memory") < 0 || directories.of("pids") < 0) {
    return Error{ErrorCode::unavailable, "the memory or pids cgroup controller is not mounted",
                 "mount cgroup v2, or the v1 controllers memory and pids"};
  }
  return std::unique_ptr<CgroupTree>(std::make_unique<V1Tree>(std::move(directories)));
}

}  // namespace sandtrail::jail
