// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "jail/mounts.h"
#include "jailer.h"

namespace sandtrail::jailer {
namespace {

constexpr std::size_t kAgentBytesMax = 64 << 20;

// A sealed copy: whoever reaches it through /proc cannot write to it, and the file on disk may be
// replaced while sandboxes run.
Result<UniqueFd> load_agent(const std::string& path) {
  auto program = read_file(path, kAgentBytesMax);
  if (!program.ok()) {
    auto error = program.error();
    error.hint = "sandtrail-agent must stand beside the running program, or be named";
    return error;
  }
  UniqueFd fd(::memfd_create("sandtrail-agent", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return errno_error("memfd_create", errno);
  BytesView rest = program.value();
  while (!rest.empty()) {
    const auto count = ::write(fd.get(), rest.data(), rest.size());
    if (count <= 0) return errno_error("cannot copy the agent", errno);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fchmod(fd.get(), 0555) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
          0) {
    return errno_error("cannot seal the agent", errno);
  }
  // A descriptor opened for writing cannot be executed (ETXTBSY).
  const auto self = "/proc/self/fd/" + std::to_string(fd.get());
  UniqueFd readable(::open(self.c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable.valid()) return errno_error("cannot reopen the agent", errno);
  return readable;
}

Status require_root() {
  if (::geteuid() == 0) return {};
  return Error{ErrorCode::denied, "the process jail needs root to limit and separate programs",
               "start it as root: it drops every right before a program runs"};
}

}  // namespace

Result<std::unique_ptr<Jailer>> Jailer::prepare(const Options& options, const Clock& clock) {
  std::unique_ptr<Jailer> jailer(new Jailer(clock));
  ST_CHECK_OK(jailer->set_up(options));
  return jailer;
}

Status Jailer::set_up(const Options& options) {
  ST_CHECK_OK(require_root());
  // Memory of the jailer is none of the sandboxes' business.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error("prctl", errno);
  uid_base_ = options.uid_base;
  ST_ASSIGN(agent_, load_agent(options.agent_path));
  ST_ASSIGN(const auto rules, jail::parse_seccomp_list(jail::builtin_seccomp_list()));
  ST_ASSIGN(seccomp_, jail::compile_seccomp(rules));
  ST_ASSIGN(cgroups_, jail::open_cgroup_tree(options.instance));
  const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int slot = 0; slot < options.slots; ++slot) {
    ST_ASSIGN(auto made, jail::make_user_namespace(proc.get(), jail::slot_uids(uid_base_, slot)));
    user_namespaces_.push_back(std::move(made));
  }
  ST_CHECK_OK(jail::enter_shared_root());
  ST_CHECK_OK(jail::enter_fresh_network());
  network_fresh_ = true;
  return {};
}

jail::JailerReady Jailer::ready() const {
  jail::JailerReady ready;
  ready.controls = {"userns",       "mountns",      "pidns",        "netns",       "ipcns",
                    "utsns",        "cgroupns",     "private_root", "masked_proc", "rlimits",
                    "capabilities", "no_new_privs", "seccomp"};
  const auto limits = cgroups_->controls();
  ready.controls.insert(ready.controls.end(), limits.begin(), limits.end());
  ready.controls_missing = cgroups_->controls_missing();
  bool nesting_off = true;
  for (const auto& made : user_namespaces_) nesting_off = nesting_off && made.nesting_off;
  // Without it (read-only /proc/sys) seccomp alone forbids nested namespaces.
  (nesting_off ? ready.controls : ready.controls_missing).emplace_back("userns.no_nesting");
  return ready;
}

}  // namespace sandtrail::jailer
