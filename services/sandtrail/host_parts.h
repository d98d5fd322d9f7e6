// SPDX-License-Identifier: Apache-2.0
// What runs executions in this process, for its own launcher or for several elsewhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/config.h"
#include "config/languages.h"
#include "data_directory.h"
#include "host/host_engine.h"
#include "host/host_reaper.h"

namespace sandtrail {

std::string languages_file(const Config& config);
// The languages that the settings name and this machine has.
Result<std::vector<Language>> languages_of(const Config& config);

class HostParts {
 public:
  // Takes the next epoch, reaps what an earlier run left behind, and proves that sandboxes work
  // here. `directory` must be this process's alone. `address` is that of the data plane, empty if
  // only this process reads `live_output`, which must outlive this.
  static Result<std::unique_ptr<HostParts>> open(const Config& config,
                                                 const DataDirectory& directory,
                                                 std::vector<Language> languages,
                                                 std::string address, OutputHub& live_output,
                                                 const Clock& clock, Random& random);
  ~HostParts();  // ends what runs

  HostEngine& engine() { return *engine_; }
  HostReaper& reaper() { return *reaper_; }

 private:
  HostParts() = default;
  std::unique_ptr<SandboxDriver> driver_;
  std::unique_ptr<HostReaper> reaper_;
  std::unique_ptr<HostEngine> engine_;
};

}  // namespace sandtrail
