// SPDX-License-Identifier: Apache-2.0
// A host on a machine of its own: what `sandtrail host` runs.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace sandtrail {

class HostProcess {
 public:
  // `directory` is this host's own. Errors say what to do; that no launcher can be reached is none.
  static Result<std::unique_ptr<HostProcess>> start(const Config& config,
                                                    const std::string& directory);
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  std::string admin_url() const;     // empty: off
  std::string data_address() const;  // by which gateways get live output; empty: off
  int slots() const;
  // Takes no work any more, lets what runs end for a bounded time, says good-bye.
  void stop();

 private:
  struct Impl;
  explicit HostProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandtrail
