// SPDX-License-Identifier: Apache-2.0
// The file tree of a sandbox. Needs root of the host.
//
//   /usr, /bin, /sbin, /lib*   the host's, read-only, nosuid, nodev
//   /etc                       passwd, group, hosts, nsswitch.conf, the host's ld.so.cache and
//                              alternatives; nothing else
//   /dev                       null zero full random urandom, fd links; no terminals
//   /proc                      own processes only (subset=pid, hidepid=invisible)
//   /work, /tmp, /dev/shm      one tmpfs with one size and inode limit for all three
//
// There is no /sys, /home, /var, /root or /run.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"

namespace sandtrail::jail {

// Once, in the jailer: builds everything that is the same for all sandboxes in a private mount
// namespace, makes it the root and lets go of the host's tree. Afterwards the caller reaches host
// files only through descriptors it holds. Programs installed later under /usr are seen; a renewed
// ld.so.cache only after a restart.
Status enter_shared_root();

struct PrivateMounts {
  std::int64_t disk_bytes = 0;  // of all writable directories together
  std::int64_t inodes = 0;
  uid_t owner = 0;  // host uid of the program
};
// In the sandbox's own mount and pid namespaces: /proc and the writable directories.
Status mount_private(const PrivateMounts& mounts);

}  // namespace sandtrail::jail
