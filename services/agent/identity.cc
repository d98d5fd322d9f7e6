// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "jail/capabilities.h"

namespace sandtrail::agent {

AsProgram::AsProgram() {
  ST_ASSERT(::setegid(kProgramUid) == 0);
  ST_ASSERT(::seteuid(kProgramUid) == 0);
}

AsProgram::~AsProgram() {
  ST_ASSERT(::seteuid(kAgentUid) == 0);
  ST_ASSERT(::setegid(kAgentUid) == 0);
}

Status become_program() {
  ST_CHECK_OK(jail::empty_bounding_set());
  if (::setgroups(0, nullptr) != 0 || ::setresgid(kProgramUid, kProgramUid, kProgramUid) != 0 ||
      ::setresuid(kProgramUid, kProgramUid, kProgramUid) != 0) {
    return errno_error("cannot become the program's uid", errno);
  }
  return jail::drop_all_capabilities();
}

}  // namespace sandtrail::agent
