// SPDX-License-Identifier: Apache-2.0
#include "jail/rlimits.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace sandtrail::jail {
namespace {

Status lower(__rlimit_resource resource, std::int64_t soft, std::int64_t hard) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) return errno_error("getrlimit", errno);
  now.rlim_max = std::min(now.rlim_max, static_cast<rlim_t>(hard));
  now.rlim_cur = std::min(now.rlim_max, static_cast<rlim_t>(soft));
  if (::setrlimit(resource, &now) != 0) return errno_error("setrlimit", errno);
  return {};
}

// A service may run with a priority above others'; what it runs for tenants does not.
Status lower_priority() {
  errno = 0;
  const int priority = ::getpriority(PRIO_PROCESS, 0);
  if (priority >= 0 || (priority == -1 && errno != 0)) return {};
  if (::setpriority(PRIO_PROCESS, 0, 0) != 0) return errno_error("setpriority", errno);
  return {};
}

}  // namespace

Status set_rlimits(std::int64_t file_bytes) {
  constexpr std::int64_t kStackSoftBytes = 8 << 20;  // the usual default
  ST_CHECK_OK(lower(RLIMIT_CORE, 0, 0));
  ST_CHECK_OK(lower(RLIMIT_FSIZE, file_bytes, file_bytes));
  ST_CHECK_OK(lower(RLIMIT_NOFILE, limits::kJailOpenFilesMax, limits::kJailOpenFilesMax));
  ST_CHECK_OK(lower(RLIMIT_STACK, kStackSoftBytes, limits::kJailStackBytesMax));
  ST_CHECK_OK(lower(RLIMIT_MEMLOCK, limits::kJailLockedBytesMax, limits::kJailLockedBytesMax));
  ST_CHECK_OK(lower(RLIMIT_NICE, 0, 0));
  ST_CHECK_OK(lower(RLIMIT_RTPRIO, 0, 0));
  ST_CHECK_OK(lower_priority());
  return {};
}

}  // namespace sandtrail::jail
