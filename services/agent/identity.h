// SPDX-License-Identifier: Apache-2.0
// The two uids of a sandbox: the agent's (0 inside) and the program's.
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace sandtrail::agent {

inline constexpr uid_t kAgentUid = 0;
inline constexpr uid_t kProgramUid = 1000;

// Acts as the program's uid for its lifetime, so that files, pipes and memory files belong to the
// program. Only while no program runs.
class AsProgram {
 public:
  AsProgram();
  ~AsProgram();
  AsProgram(const AsProgram&) = delete;
  AsProgram& operator=(const AsProgram&) = delete;
};

// For good, in a child: the program's uid, no groups, no capability in any set.
Status become_program();

}  // namespace sandtrail::agent
