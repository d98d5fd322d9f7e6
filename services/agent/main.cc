// SPDX-License-Identifier: Apache-2.0
// sandtrail-agent: pid 1 of a sandbox. Takes files and stages from its host over one descriptor,
// runs them as another uid and reports. It decides nothing: limits and deadlines are the host's.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "channel.h"
#include "jail/jailer_protocol.h"
#include "orders.h"
#include "program.h"

namespace {

using namespace sandtrail;

Status serve(agent::Channel& channel, const Clock& clock) {
  channel.send(guest::Ready{});
  agent::Program program;
  ST_CHECK_OK(agent::take_orders(channel, program));
  return agent::Runner(channel, program, clock).run();
}

}  // namespace

int main() {
  // Nothing in the sandbox may look into this process, and it ends with the jailer.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    return 1;
  }
  ::signal(SIGPIPE, SIG_IGN);
  constexpr int kFd = jail::kAgentFd;
  if (::fcntl(kFd, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(kFd, F_SETFL, O_NONBLOCK) != 0) return 1;
  const SystemClock clock;
  agent::Channel channel(kFd);
  const auto status = serve(channel, clock);
  if (status.ok()) {
    channel.send(guest::Exited{});
  } else {
    channel.send(guest::Failed{status.error().code, status.error().message});
  }
  channel.flush();
  return 0;
}
