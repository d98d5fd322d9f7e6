// SPDX-License-Identifier: Apache-2.0
// sandtrail-agent: pid 1 of a sandbox. Takes files and stages from its host over one descriptor,
// runs them as another uid and reports. It decides nothing: limits and deadlines are the host's.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/limits.h"
#include "channel.h"
#include "files.h"
#include "jail/jailer_protocol.h"
#include "program.h"

namespace {

using namespace sandtrail;

// Messages up to Run, into `program` and the work directory.
Status take_orders(agent::Channel& channel, agent::Program& program) {
  const UniqueFd work(::open("/work", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (;;) {
    ST_ASSIGN(auto message, channel.receive());
    if (const auto* hello = std::get_if<guest::Hello>(&message)) {
      if (hello->version != guest::kVersion) {
        return Error{ErrorCode::invalid_argument, "the host speaks another protocol version", ""};
      }
    } else if (const auto* file = std::get_if<guest::PutFile>(&message)) {
      ST_CHECK_OK(agent::put_file(work.get(), *file));
    } else if (auto* variable = std::get_if<guest::Variable>(&message)) {
      program.environment.emplace_back(std::move(variable->name), std::move(variable->value));
    } else if (auto* stage = std::get_if<guest::Stage>(&message)) {
      if (stage->argv.empty() || program.stages.size() >= limits::kStagesMax) {
        return Error{ErrorCode::invalid_argument, "malformed stage", ""};
      }
      program.stages.push_back(std::move(*stage));
    } else if (const auto* input = std::get_if<guest::Stdin>(&message)) {
      ST_CHECK_OK(agent::put_stdin(program.input, input->content));
    } else if (const auto* run = std::get_if<guest::Run>(&message)) {
      program.run = *run;
      return {};
    }
  }
}

Status serve(agent::Channel& channel, const Clock& clock) {
  channel.send(guest::Ready{});
  agent::Program program;
  ST_CHECK_OK(take_orders(channel, program));
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
