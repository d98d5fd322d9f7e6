// SPDX-License-Identifier: Apache-2.0
#include "sandbox_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "jail/capabilities.h"
#include "jail/namespaces.h"
#include "jail/rlimits.h"

namespace sandtrail::jailer {
namespace {

constexpr int kProgramFd = jail::kAgentFd + 1;  // the agent's program; closed by its execve
constexpr int kErrorsFd = kProgramFd + 1;       // likewise
constexpr int kSetupFailed = 125;

// The kernel kills this process with the jailer. The setting is lost with every change of uid, and
// the jailer may have died before it was made: the pipe has no reader then.
Status die_with_jailer(int errors) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno_error("pdeathsig", errno);
  pollfd pipe{errors, POLLOUT, 0};
  if (::poll(&pipe, 1, 0) >= 0 && (pipe.revents & POLLERR) == 0) return {};
  return Error{ErrorCode::cancelled, "the jailer is gone", ""};
}

Status name_host() {
  constexpr std::string_view kName = "sandbox";
  if (::sethostname(kName.data(), kName.size()) != 0 || ::setdomainname(kName.data(), 0) != 0) {
    return errno_error("cannot set the host name", errno);
  }
  return {};
}

// Lays out 0, 1, 2 = /dev/null, 3 = channel, 4 = program, 5 = errors, and closes all others.
Status arrange_fds(const Birth& birth, int errors) {
  // First beyond the range, so that no dup2 below hits a source.
  constexpr int kAside = 64;
  const int channel = ::fcntl(birth.channel, F_DUPFD, kAside);
  const int program = ::fcntl(birth.agent, F_DUPFD, kAside);
  const int report = ::fcntl(errors, F_DUPFD, kAside);
  const int null = ::open("/dev/null", O_RDWR);
  if (channel < 0 || program < 0 || report < 0 || null < 0) {
    return errno_error("cannot arrange descriptors", errno);
  }
  for (const int fd : {0, 1, 2}) {
    if (null != fd && ::dup2(null, fd) < 0) return errno_error("dup2", errno);
  }
  if (::dup2(channel, jail::kAgentFd) < 0 || ::dup3(program, kProgramFd, O_CLOEXEC) < 0 ||
      ::dup3(report, kErrorsFd, O_CLOEXEC) < 0) {
    return errno_error("dup2", errno);
  }
  if (::syscall(SYS_close_range, kErrorsFd + 1, ~0U, 0) != 0) {
    return errno_error("close_range", errno);
  }
  return {};
}

// The order matters: each step needs a right or a view that a later one takes away.
Status set_up(const Birth& birth, int errors) {
  ST_CHECK_OK(die_with_jailer(errors));
  if (::setsid() < 0) return errno_error("setsid", errno);
  // Namespaces (mount, pid, ipc, uts) came with the clone, the network with the jailer; the cgroup
  // namespace takes its root from the groups entered here.
  ST_CHECK_OK(birth.cgroup.enter());
  ST_CHECK_OK(jail::enter_fresh_cgroup_namespace());
  ST_CHECK_OK(jail::mount_private(birth.mounts));
  ST_CHECK_OK(name_host());
  if (::chdir("/") != 0) return errno_error("chdir", errno);
  ST_CHECK_OK(jail::set_rlimits(birth.mounts.disk_bytes));
  ST_CHECK_OK(jail::become_agent(birth.user_namespace));
  ST_CHECK_OK(jail::keep_agent_capabilities());
  ST_CHECK_OK(jail::set_no_new_privileges());
  ST_CHECK_OK(die_with_jailer(errors));
  ST_CHECK_OK(arrange_fds(birth, errors));
  return jail::install_seccomp(birth.seccomp);
}

[[noreturn]] void run_child(const Birth& birth, int errors) {
  // What the jailer ignores would stay ignored in every program.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::umask(022);
  auto status = set_up(birth, errors);
  const int report = status.ok() ? kErrorsFd : errors;
  if (status.ok()) {
    char name[] = "sandtrail-agent";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, kProgramFd, "", argv, environment, AT_EMPTY_PATH);
    status = errno_error("cannot start the agent", errno);
  }
  const auto& text = status.error().message;
  // arrange_fds() may have closed the one or not yet made the other.
  if (::write(report, text.data(), text.size()) < 0) {
    (void)!::write(kErrorsFd, text.data(), text.size());
  }
  ::_exit(kSetupFailed);
}

}  // namespace

Result<BornSandbox> give_birth(const Birth& birth) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("pipe2", errno);
  BornSandbox born;
  born.errors = UniqueFd(pipe[0]);
  UniqueFd errors(pipe[1]);
  ST_ASSIGN(auto cloned, jail::clone_into_namespaces(birth.cgroup.clone_fd()));
  if (cloned.pid == 0) {
    born.errors.reset();  // or the child would hear itself instead of the jailer's death
    run_child(birth, errors.get());
  }
  born.pidfd = std::move(cloned.pidfd);
  return born;
}

}  // namespace sandtrail::jailer
