// SPDX-License-Identifier: Apache-2.0
#include "host/host_reaper.h"

#include "obs/log.h"

namespace sandtrail {

Status HostReaper::reap(const std::string& name) {
  log_warn("reaping a sandbox that nobody owns", {{"name", name}});
  ST_CHECK_OK(driver_.reap(name));
  ++reaped_;
  return {};
}

Status HostReaper::reap_all() {
  for (const std::string& name : driver_.list_owned()) ST_CHECK_OK(reap(name));
  return {};
}

void HostReaper::pass() {
  std::set<std::string> standing;
  for (const std::string& name : driver_.list_owned()) {
    if (!suspects_.contains(name)) {
      standing.insert(name);  // perhaps its driver is about to remove it
      continue;
    }
    if (const Status status = reap(name); !status.ok()) {
      log_error("a left-over sandbox cannot be reaped",
                {{"name", name}, {"error", status.error()}});
      standing.insert(name);
    }
  }
  suspects_.swap(standing);
}

}  // namespace sandtrail
