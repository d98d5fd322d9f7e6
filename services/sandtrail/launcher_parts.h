// SPDX-License-Identifier: Apache-2.0
// What the launcher role needs besides the log: its hosts, those that join and one that is built
// in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/languages.h"
#include "data_directory.h"
#include "data_plane.h"
#include "gateway/gateway.h"
#include "host/local_host.h"
#include "host_listener.h"
#include "host_parts.h"
#include "launcher/hosts.h"
#include "process_plan.h"

namespace sandtrail {

class LauncherParts {
 public:
  // Reaps what an earlier run of the built-in host left behind, so nobody else may use `directory`.
  // Hosts may join from now on. `instance` names this launcher to people.
  static Result<std::unique_ptr<LauncherParts>> open(const ProcessPlan& plan,
                                                     const DataDirectory& directory,
                                                     const std::vector<Language>& languages,
                                                     const std::string& instance,
                                                     const Clock& clock, Random& random);

  Hosts& hosts() { return hosts_; }
  // What the built-in host runs.
  OutputSource& live_output() { return live_output_; }
  std::vector<HostStatus> status() const;
  // Where hosts join; empty: none may.
  std::string listens_at() const { return listener_ ? listener_->address() : ""; }
  // Sends the hosts that joined elsewhere, and ends what runs here.
  void stop();

 private:
  LauncherParts(const Clock& clock, bool hosts_join) : hosts_(clock, hosts_join) {}

  Hosts hosts_;
  OutputHub live_output_;
  std::unique_ptr<DataPlane> data_plane_;  // of the built-in host, if its gateways are elsewhere
  std::unique_ptr<HostParts> builtin_;     // null: only hosts that join
  std::unique_ptr<LocalHost> local_;
  std::unique_ptr<HostListener> listener_;
};

}  // namespace sandtrail
