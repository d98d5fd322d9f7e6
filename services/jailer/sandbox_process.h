// SPDX-License-Identifier: Apache-2.0
// The birth of a sandbox: every step from clone to the agent's first instruction, in one order.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "jail/cgroup.h"
#include "jail/jailer_protocol.h"
#include "jail/mounts.h"
#include "jail/seccomp.h"

namespace sandtrail::jailer {

struct Birth {
  const jail::Cgroup& cgroup;
  const jail::SeccompPrograms& seccomp;
  jail::PrivateMounts mounts;
  int user_namespace = -1;
  int agent = -1;    // the agent's program, a sealed memory file
  int channel = -1;  // becomes the agent's kAgentFd
};

struct BornSandbox {
  UniqueFd pidfd;   // of the agent, pid 1 inside
  UniqueFd errors;  // read end; text if a step failed, end of file once the agent runs
};

// Returns as soon as the process exists; what fails in it is written to `errors`, and it exits.
Result<BornSandbox> give_birth(const Birth& birth);

}  // namespace sandtrail::jailer
