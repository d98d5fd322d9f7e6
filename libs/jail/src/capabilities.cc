// SPDX-License-Identifier: Apache-2.0
#include "jail/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace sandtrail::jail {
namespace {

constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}

// Asks the kernel for the number of capabilities by probing, so that newer ones are dropped too.
Status drop_bounding_except(std::uint64_t kept) {
  for (int capability = 0; capability < 64; ++capability) {
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;
    if ((kept & bit(capability)) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return errno_error("cannot drop a capability from the bounding set", errno);
    }
  }
  return {};
}

Status set_capabilities(std::uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int word = 0; word < 2; ++word) {
    const auto part = static_cast<std::uint32_t>(kept >> (32 * word));
    data[word].permitted = part;
    data[word].effective = part;
  }
  if (::syscall(SYS_capset, &header, data) != 0)
    return errno_error("cannot drop capabilities", errno);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return errno_error("cannot clear ambient capabilities", errno);
  }
  return {};
}

}  // namespace

Status keep_agent_capabilities() {
  constexpr auto kKept = bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_KILL) | bit(CAP_SETPCAP);
  ST_CHECK_OK(drop_bounding_except(kKept));
  return set_capabilities(kKept);
}

Status empty_bounding_set() {
  return drop_bounding_except(0);
}

Status drop_all_capabilities() {
  return set_capabilities(0);
}

Status set_no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return {};
  return errno_error("cannot set no_new_privs", errno);
}

}  // namespace sandtrail::jail
