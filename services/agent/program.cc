// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace sandtrail::agent {

Runner::Runner(Channel& channel, const Program& program, const Clock& clock)
    : channel_(channel),
      program_(program),
      clock_(clock),
      out_(guest::Stream::out, program.run.output_bytes, program.run.output_flood_bytes),
      err_(guest::Stream::err, program.run.output_bytes, program.run.output_flood_bytes) {}

Status Runner::run() {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  signals_ = UniqueFd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return errno_error("signalfd", errno);
  for (std::size_t i = 0; i < program_.stages.size(); ++i) {
    const auto number = static_cast<std::uint8_t>(i);
    channel_.send(guest::Started{number});
    ST_ASSIGN(const auto end, run_stage(program_.stages[i]));
    out_.send_total(channel_);
    err_.send_total(channel_);
    channel_.send(guest::StageDone{number, end.signaled, end.value});
    if (end.signaled || end.value != 0) break;
  }
  return {};
}

// The stage is over when its main process is gone and both pipes are at their end. Whoever else
// holds them gets a short grace and is killed then, not waited for.
Result<Runner::StageEnd> Runner::run_stage(const guest::Stage& stage) {
  main_gone_ = false;
  ST_ASSIGN(const pid_t main, start(stage));
  constexpr std::int64_t kNever = INT64_MAX;
  std::int64_t kill_at_us = kNever;
  bool killed = false;
  while (!main_gone_ || !out_.at_end() || !err_.at_end()) {
    const auto now_us = clock_.monotonic_us();
    if (main_gone_ && kill_at_us == kNever) {
      kill_at_us = now_us + limits::kSandboxExitGrace.count * 1000;
    }
    const bool flooded = out_.flooded() || err_.flooded();
    if (!killed && (now_us >= kill_at_us || flooded || channel_.closed())) {
      kill_all();
      killed = true;
    }
    std::int64_t wake_us = killed ? kNever : kill_at_us;
    const int out_fd = watched(out_, now_us, wake_us);
    const int err_fd = watched(err_, now_us, wake_us);
    int timeout_ms = -1;
    if (wake_us != kNever) timeout_ms = static_cast<int>((wake_us - now_us) / 1000 + 1);
    const short channel_events = static_cast<short>(POLLIN | (channel_.unsent() ? POLLOUT : 0));
    pollfd polled[] = {{signals_.get(), POLLIN, 0},
                       {out_fd, POLLIN, 0},
                       {err_fd, POLLIN, 0},
                       {channel_.closed() ? -1 : channel_.fd(), channel_events, 0}};
    (void)::poll(polled, std::size(polled), timeout_ms);
    if (polled[0].revents != 0) reap(main);
    const auto read_us = clock_.monotonic_us();
    if (polled[1].revents != 0) out_.read_some(channel_, read_us);
    if (polled[2].revents != 0) err_.read_some(channel_, read_us);
    if ((polled[3].revents & POLLOUT) != 0) channel_.send_more();
    if ((polled[3].revents & ~POLLOUT) != 0) channel_.note_readable();
  }
  kill_all();
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  return end_;
}

// The descriptor to wait for, or none while the output rests; `wake_us` is when to look again.
int Runner::watched(const Output& output, std::int64_t now_us, std::int64_t& wake_us) const {
  const auto rests_until_us = output.rests_until_us();
  if (main_gone_ || rests_until_us <= now_us) return output.fd();
  wake_us = std::min(wake_us, rests_until_us);
  return -1;
}

// Every zombie: pid 1 inherits the orphans of its namespace.
void Runner::reap(pid_t main) {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) > 0) {
  }
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != main) continue;
    main_gone_ = true;
    end_.signaled = WIFSIGNALED(status);
    end_.value = static_cast<std::uint8_t>(end_.signaled ? WTERMSIG(status) : WEXITSTATUS(status));
  }
}

// All but pid 1, in one step of the kernel: no fork escapes it (kill(2), pid -1).
void Runner::kill_all() {
  (void)::kill(-1, SIGKILL);
}

}  // namespace sandtrail::agent
