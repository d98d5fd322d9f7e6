// SPDX-License-Identifier: Apache-2.0
// What the launcher role needs besides the log: its hosts, and the one that is built in.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/languages.h"
#include "data_directory.h"
#include "launcher/builtin_host.h"
#include "launcher/hosts.h"
#include "process_plan.h"

namespace sandtrail {

// The languages of this machine; also what a gateway offers.
Result<std::vector<Language>> open_languages(const Config& config);

class LauncherParts {
 public:
  // Reaps what an earlier run of the built-in host left behind, so nobody else may use `directory`.
  static Result<std::unique_ptr<LauncherParts>> open(
      const ProcessPlan& plan, const DataDirectory& directory,
      const std::vector<Language>& languages, std::function<TopicPartition(const OrgId&)> home,
      const Clock& clock, Random& random);
  ~LauncherParts();

  Hosts& hosts() { return hosts_; }
  // Ends what runs here.
  void stop_host();

 private:
  explicit LauncherParts(std::function<TopicPartition(const OrgId&)> home);
  Status open_builtin(const Config& config, const DataDirectory& directory,
                      const std::vector<Language>& languages, const Clock& clock, Random& random);

  std::unique_ptr<SandboxDriver> driver_;
  std::unique_ptr<BuiltinHost> builtin_;
  Hosts hosts_;
};

}  // namespace sandtrail
