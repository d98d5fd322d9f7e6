// SPDX-License-Identifier: Apache-2.0
// What the launcher role needs besides the log: its hosts, built in and joined.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/languages.h"
#include "data_directory.h"
#include "host/local_host.h"
#include "host_listener.h"
#include "host_parts.h"
#include "launcher/hosts.h"
#include "process_plan.h"

namespace sandtrail {

class LauncherParts {
 public:
  // Reaps what an earlier run of the built-in host left behind, so nobody else may use `directory`.
  // Hosts may join from then on. `instance` names this process to people.
  static Result<std::unique_ptr<LauncherParts>> open(const ProcessPlan& plan, std::string instance,
                                                     const DataDirectory& directory,
                                                     const std::vector<Language>& languages,
                                                     const Clock& clock, Random& random);
  ~LauncherParts();

  Hosts& hosts() { return hosts_; }
  // Where hosts join; empty: nowhere.
  std::string listens_at() const { return listener_ ? listener_->address() : ""; }
  // Ends what runs here, and tells hosts that have joined to look elsewhere.
  void stop_hosts();

 private:
  LauncherParts(const Clock& clock, bool joinable) : hosts_(clock, joinable) {}

  Hosts hosts_;
  std::unique_ptr<HostParts> builtin_;
  std::unique_ptr<LocalHost> local_;
  std::unique_ptr<HostListener> listener_;
};

}  // namespace sandtrail
