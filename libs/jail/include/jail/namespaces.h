// SPDX-License-Identifier: Apache-2.0
// User and network namespaces, and the clone that makes the rest. Needs root of the host.
//
// All namespaces except the user namespace belong to the host's root: whoever becomes root inside
// the user namespace still owns nothing but an empty uid map.
#pragma once

#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace sandtrail::jail {

inline constexpr uid_t kAgentUidInside = 0;
inline constexpr uid_t kProgramUidInside = 1000;

// Host uids (and gids of the same number) of one slot.
struct SlotUids {
  uid_t agent = 0;
  uid_t program = 0;
};
// Two neighbouring ids a slot, from `base` up.
SlotUids slot_uids(uid_t base, int slot);

struct UserNamespace {
  UniqueFd fd;
  // True if the kernel was told to make no namespaces inside it (/proc/sys/user/max_*).
  bool nesting_off = false;
};
// A user namespace that maps just the two ids. It holds no process and may be joined often, one
// sandbox at a time. `proc` is a descriptor of the host's /proc.
Result<UserNamespace> make_user_namespace(int proc, const SlotUids& uids);

// Moves the calling process into a new network namespace with only a loopback device, up. What it
// forks afterwards lives there too.
Status enter_fresh_network();

// New cgroup namespace, rooted where the calling process is now.
Status enter_fresh_cgroup_namespace();

// Joins the user namespace and becomes its uid 0 (the agent's uid) without supplementary groups.
Status become_agent(int user_namespace);

struct Cloned {
  pid_t pid = 0;   // 0 in the child
  UniqueFd pidfd;  // in the parent
};
// Forks into new mount, pid, ipc and uts namespaces, and into the cgroup v2 directory unless -1.
// The caller must be single-threaded.
Result<Cloned> clone_into_namespaces(int cgroup_fd);

}  // namespace sandtrail::jail
