// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "cgroup_directory.h"

namespace sandtrail::jail {
namespace {

constexpr std::size_t kProcFileBytesMax = 64 * 1024;

class V2Group final : public Cgroup {
 public:
  V2Group(int parent, std::string name) : parent_(parent), name_(std::move(name)) {}

  Status make() {
    ST_ASSIGN(fd_, make_directory(parent_, name_));
    return {};
  }

  void open_existing() { fd_ = open_directory(parent_, name_); }

  Status limit(const CgroupLimits& limits) {
    for (const auto& write : v2_limit_writes(limits)) {
      if (write.optional && !file_exists(fd_.get(), write.file.data())) continue;
      ST_CHECK_OK(write_file_at(fd_.get(), write.file.data(), write.value));
    }
    return {};
  }

  int clone_fd() const override { return fd_.get(); }
  Status enter() const override { return {}; }

  CgroupUsage usage() const override {
    CgroupUsage usage;
    usage.cpu_us = parse_keyed(read_file_at(fd_.get(), "cpu.stat"), "usage_usec").value_or(0);
    usage.memory_peak_bytes = parse_count(read_file_at(fd_.get(), "memory.peak")).value_or(0);
    usage.oom_kills = parse_keyed(read_file_at(fd_.get(), "memory.events"), "oom_kill").value_or(0);
    usage.fork_refusals = parse_keyed(read_file_at(fd_.get(), "pids.events"), "max").value_or(0);
    return usage;
  }

  Status kill_all() override {
    if (!fd_.valid()) return {};
    if (file_exists(fd_.get(), "cgroup.kill")) return write_file_at(fd_.get(), "cgroup.kill", "1");
    // Before Linux 5.14: freeze, signal, thaw.
    (void)write_file_at(fd_.get(), "cgroup.freeze", "1");
    for (const int pid : read_pids(fd_.get())) ::kill(pid, SIGKILL);
    return write_file_at(fd_.get(), "cgroup.freeze", "0");
  }

  Status remove() override { return remove_directory(parent_, name_); }

 private:
  int parent_;
  std::string name_;
  UniqueFd fd_;
};

class V2Tree final : public CgroupTree {
 public:
  V2Tree(InstanceDirectory instance, bool with_controllers)
      : instance_(std::move(instance)), with_controllers_(with_controllers) {}

  Result<std::unique_ptr<Cgroup>> create(const std::string& name,
                                         const CgroupLimits& limits) override {
    auto group = std::make_unique<V2Group>(instance_.get(), name);
    ST_CHECK_OK(group->make());
    if (with_controllers_) {
      if (const auto status = group->limit(limits); !status.ok()) {
        (void)group->remove();
        return status.error();
      }
    }
    return std::unique_ptr<Cgroup>(std::move(group));
  }

  std::unique_ptr<Cgroup> adopt(const std::string& name) override {
    auto group = std::make_unique<V2Group>(instance_.get(), name);
    group->open_existing();
    return group;
  }

  std::vector<std::string> list() const override {
    std::vector<std::string> names;
    list_owned_directories(instance_.get(), names);
    return names;
  }

  std::vector<std::string> controls() const override {
    if (!with_controllers_) return {};
    std::vector<std::string> names{"cgroup.memory", "cgroup.pids", "cgroup.swap"};
    if (limits_cpu()) names.emplace_back("cgroup.cpu");
    return names;
  }

  std::vector<std::string> controls_missing() const override {
    if (!with_controllers_ || limits_cpu()) return {};
    return {"cgroup.cpu"};
  }

 private:
  bool limits_cpu() const {
    return read_file_at(instance_.get(), "cgroup.subtree_control").find("cpu") != std::string::npos;
  }

  InstanceDirectory instance_;
  bool with_controllers_;
};

// The group under which ours may be made: the own one if systemd delegated it to us
// (Delegate=yes marks it so, systemd.resource-control(5)), else the root of the tree.
std::string parent_path(const CgroupMounts& mounts) {
  const auto text = read_file("/proc/self/cgroup", kProcFileBytesMax);
  const auto own = text.ok() ? parse_own_v2_path(text.value()) : std::nullopt;
  if (!own || *own == "/") return mounts.v2;
  const auto path = mounts.v2 + *own;
  char mark = 0;
  const bool delegated =
      (::getxattr(path.c_str(), "trusted.delegate", &mark, 1) == 1 && mark == '1') ||
      (::getxattr(path.c_str(), "user.delegate", &mark, 1) == 1 && mark == '1');
  return delegated ? path : mounts.v2;
}

// A group with processes cannot pass controllers on (the "no internal processes" rule), so ours
// move into a leaf beside the sandboxes.
Status make_room(int directory) {
  if (::mkdirat(directory, "supervisor", 0755) != 0 && errno != EEXIST) {
    return errno_error("cannot create the cgroup supervisor", errno);
  }
  const auto leaf = open_directory(directory, "supervisor");
  for (const int pid : read_pids(directory)) {
    (void)write_file_at(leaf.get(), "cgroup.procs", std::to_string(pid));
  }
  return {};
}

Status enable_controllers(int directory) {
  for (const char* controller : {"+memory", "+pids", "+cpu"}) {
    int error = write_file_errno(directory, "cgroup.subtree_control", controller);
    if (error == EBUSY) {
      ST_CHECK_OK(make_room(directory));
      error = write_file_errno(directory, "cgroup.subtree_control", controller);
    }
    if (error != 0 && std::string_view(controller) != "+cpu") {
      return errno_error(std::string("cannot enable ") + controller, error);
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<CgroupTree>> open_v2_tree(const CgroupMounts& mounts,
                                                 const std::string& instance,
                                                 bool with_controllers) {
  const auto parent = with_controllers ? parent_path(mounts) : mounts.v2;
  if (with_controllers) {
    UniqueFd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return errno_error("cannot open the cgroup " + parent, errno);
    ST_CHECK_OK(enable_controllers(fd.get()));
  }
  ST_ASSIGN(auto directory, InstanceDirectory::open(parent, instance, with_controllers));
  if (with_controllers) {
    const auto status = enable_controllers(directory.get());
    if (!status.ok()) {
      return Error{ErrorCode::unavailable,
                   "the memory and pids controllers are not available: " + status.error().message,
                   "run as a systemd service with Delegate=yes, or as root of the host"};
    }
  }
  return std::unique_ptr<CgroupTree>(
      std::make_unique<V2Tree>(std::move(directory), with_controllers));
}

}  // namespace sandtrail::jail
