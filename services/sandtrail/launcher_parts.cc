// SPDX-License-Identifier: Apache-2.0
#include "launcher_parts.h"

namespace sandtrail {

Result<std::unique_ptr<LauncherParts>> LauncherParts::open(const ProcessPlan& plan,
                                                           const DataDirectory& directory,
                                                           const std::vector<Language>& languages,
                                                           const std::string& instance,
                                                           const Clock& clock, Random& random) {
  const bool hosts_join = !plan.config.launcher.listen.off();
  std::unique_ptr<LauncherParts> out(new LauncherParts(clock, hosts_join));
  if (plan.config.launcher.builtin_host) {
    if (!plan.runs(ServerRole::gateway)) {
      ST_ASSIGN(out->data_plane_, DataPlane::start(plan.config, out->live_output_));
    }
    const std::string address = out->data_plane_ ? out->data_plane_->address() : "";
    ST_ASSIGN(out->builtin_, HostParts::open(plan.config, directory, languages, address,
                                             out->live_output_, clock, random));
    out->local_ = std::make_unique<LocalHost>(out->builtin_->engine());
    out->hosts_.add(*out->local_);
  }
  if (hosts_join) {
    ST_ASSIGN(out->listener_, HostListener::start(
                                  plan.config, instance, out->hosts_,
                                  [parts = out.get()] { return parts->status(); }, clock, random));
  }
  return out;
}

std::vector<HostStatus> LauncherParts::status() const {
  std::vector<HostStatus> out;
  for (const Hosts::Load& load : hosts_.load()) {
    out.push_back({load.info.id, load.info.address, load.connected, load.info.slots, load.busy,
                   load.info.isolation, load.info.languages});
  }
  return out;
}

void LauncherParts::stop() {
  listener_.reset();
  builtin_.reset();
  data_plane_.reset();
}

}  // namespace sandtrail
