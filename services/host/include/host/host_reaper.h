// SPDX-License-Identifier: Apache-2.0
// Removes sandboxes that nobody owns: what an earlier life of the host left behind, and whatever
// else a mishap leaves.
#pragma once

#include <atomic>
#include <set>
#include <string>

#include "sandbox/driver.h"

namespace sandtrail {

// For one thread, but for reaped(). The driver must outlive it.
class HostReaper {
 public:
  explicit HostReaper(SandboxDriver& driver) : driver_(driver) {}

  // Before anything is launched: everything there is, is left over.
  Status reap_all();
  // Once in limits::kOrphanAge: what stood there the last time already.
  void pass();
  std::uint64_t reaped() const { return reaped_; }

 private:
  Status reap(const std::string& name);

  SandboxDriver& driver_;
  std::set<std::string> suspects_;
  std::atomic<std::uint64_t> reaped_{0};
};

}  // namespace sandtrail
