// SPDX-License-Identifier: Apache-2.0
// Linux capabilities of the agent (capabilities(7)).
#pragma once

#include "base/result.h"

namespace sandtrail::jail {

// Keeps SETUID, SETGID, KILL and SETPCAP in the permitted, effective and bounding sets of the
// calling thread: what the agent needs to become the program's uid and to end its processes. All
// are relative to the user namespace it is in. The program itself keeps none.
Status keep_agent_capabilities();

// Empties the bounding set (needs SETPCAP). For the program, before its uid is set.
Status empty_bounding_set();
// Empties all other sets. For the program, after its uid is set.
Status drop_all_capabilities();

// No execve() will ever grant anything again (prctl PR_SET_NO_NEW_PRIVS).
Status set_no_new_privileges();

}  // namespace sandtrail::jail
