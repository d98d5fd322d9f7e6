// SPDX-License-Identifier: Apache-2.0
#include "launcher_parts.h"

namespace sandtrail {

LauncherParts::~LauncherParts() = default;

Result<std::unique_ptr<LauncherParts>> LauncherParts::open(const ProcessPlan& plan,
                                                           std::string instance,
                                                           const DataDirectory& directory,
                                                           const std::vector<Language>& languages,
                                                           const Clock& clock, Random& random) {
  const bool joinable = !plan.config.launcher.listen.off();
  std::unique_ptr<LauncherParts> out(new LauncherParts(clock, joinable));
  if (plan.config.launcher.builtin_host) {
    ST_ASSIGN(out->builtin_, HostParts::open(plan.config, directory, languages, "", clock, random));
    out->local_ = std::make_unique<LocalHost>(out->builtin_->engine());
    out->hosts_.add(*out->local_);
  }
  if (joinable) {
    ST_ASSIGN(out->listener_,
              HostListener::start(plan.config, std::move(instance), out->hosts_, clock, random));
  }
  return out;
}

void LauncherParts::stop_hosts() {
  listener_.reset();
  builtin_.reset();
}

}  // namespace sandtrail
