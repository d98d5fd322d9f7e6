// SPDX-License-Identifier: Apache-2.0
#include "jail/namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace sandtrail::jail {
namespace {

Status write_at(int directory, const std::string& path, const std::string& text) {
  UniqueFd fd(::openat(directory, path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) < 0) {
    return errno_error("cannot write /proc/" + path, errno);
  }
  return {};
}

std::string id_map(const SlotUids& uids) {
  return std::to_string(kAgentUidInside) + " " + std::to_string(uids.agent) + " 1\n" +
         std::to_string(kProgramUidInside) + " " + std::to_string(uids.program) + " 1\n";
}

// The process that lives just long enough for the namespace to be set up. Answers 'n' when it is
// in the namespace, waits for a byte, turns nesting off, answers 'o' or 'f'.
[[noreturn]] void run_namespace_holder(int proc, int channel) {
  char byte = ::unshare(CLONE_NEWUSER) == 0 ? 'n' : 'e';
  if (::write(channel, &byte, 1) != 1 || byte == 'e' || ::read(channel, &byte, 1) != 1) {
    ::_exit(1);
  }
  bool off = true;
  for (const char* kind : {"user", "mnt", "net", "pid", "ipc", "uts", "cgroup", "time"}) {
    const auto path = std::string("sys/user/max_") + kind + "_namespaces";
    off = write_at(proc, path, "0").ok() && off;
  }
  byte = off ? 'o' : 'f';
  if (::write(channel, &byte, 1) != 1) ::_exit(1);
  (void)!::read(channel, &byte, 1);  // stays until the parent has opened the namespace
  ::_exit(0);
}

Result<UserNamespace> set_up_namespace(int proc, int channel, pid_t holder, const SlotUids& uids) {
  char byte = 0;
  if (::read(channel, &byte, 1) != 1 || byte != 'n') {
    return Error{ErrorCode::unavailable, "the kernel refuses to create a user namespace",
                 "check the sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone"};
  }
  const auto directory = std::to_string(holder);
  ST_CHECK_OK(write_at(proc, directory + "/uid_map", id_map(uids)));
  ST_CHECK_OK(write_at(proc, directory + "/gid_map", id_map(uids)));
  if (::write(channel, "m", 1) != 1 || ::read(channel, &byte, 1) != 1) {
    return Error{ErrorCode::internal, "setting up a user namespace failed", ""};
  }
  UserNamespace made;
  made.nesting_off = byte == 'o';
  const auto path = directory + "/ns/user";
  made.fd = UniqueFd(::openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!made.fd.valid()) return errno_error("cannot open a user namespace", errno);
  return made;
}

}  // namespace

SlotUids slot_uids(uid_t base, int slot) {
  const auto first = base + 2 * static_cast<uid_t>(slot);
  return {first, first + 1};
}

Result<UserNamespace> make_user_namespace(int proc, const SlotUids& uids) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return errno_error("socketpair", errno);
  }
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t holder = ::fork();
  if (holder < 0) return errno_error("fork", errno);
  if (holder == 0) {
    ours.reset();  // so that our end's death is the holder's end too
    run_namespace_holder(proc, theirs.get());
  }
  theirs.reset();
  auto made = set_up_namespace(proc, ours.get(), holder, uids);
  ours.reset();
  int status = 0;
  while (::waitpid(holder, &status, 0) < 0 && errno == EINTR) {
  }
  return made;
}

Status enter_fresh_network() {
  if (::unshare(CLONE_NEWNET) != 0) return errno_error("cannot create a network namespace", errno);
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  if (!fd.valid() || ::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return errno_error("cannot bring up the loopback device", errno);
  }
  return {};
}

Status enter_fresh_cgroup_namespace() {
  if (::unshare(CLONE_NEWCGROUP) == 0) return {};
  return errno_error("cannot create a cgroup namespace", errno);
}

Status become_agent(int user_namespace) {
  if (::setns(user_namespace, CLONE_NEWUSER) != 0) {
    return errno_error("cannot join the user namespace", errno);
  }
  if (::setgroups(0, nullptr) != 0 ||
      ::setresgid(kAgentUidInside, kAgentUidInside, kAgentUidInside) != 0 ||
      ::setresuid(kAgentUidInside, kAgentUidInside, kAgentUidInside) != 0) {
    return errno_error("cannot give up root", errno);
  }
  return {};
}

Result<Cloned> clone_into_namespaces(int cgroup_fd) {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup_fd);
  }
  const auto pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return errno_error("cannot clone into new namespaces", errno);
  Cloned cloned;
  cloned.pid = static_cast<pid_t>(pid);
  if (pid > 0) cloned.pidfd = UniqueFd(pidfd);
  return cloned;
}

}  // namespace sandtrail::jail
