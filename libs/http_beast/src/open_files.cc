// SPDX-License-Identifier: Apache-2.0
#include "http_beast/open_files.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/limits.h"

namespace sandtrail::http {

void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // refused: there are fewer connections then
}

std::size_t connections_allowed(std::size_t configured, std::uint64_t nofile) {
  const std::uint64_t reserved = std::min<std::uint64_t>(limits::kDescriptorsReserved, nofile / 2);
  return static_cast<std::size_t>(std::min<std::uint64_t>(configured, nofile - reserved));
}

}  // namespace sandtrail::http
