// SPDX-License-Identifier: Apache-2.0
// One process' clock: the world's, set wrong by an administrator now and then.
#pragma once

#include "base/clock.h"

namespace sandtrail::sim {

class SimClock final : public Clock {
 public:
  explicit SimClock(const ManualClock& world) : world_(world) {}
  UnixMs now() const override { return world_.now() + offset_; }
  std::int64_t monotonic_us() const override { return world_.monotonic_us(); }
  void set_offset(Millis offset) { offset_ = offset; }

 private:
  const ManualClock& world_;
  Millis offset_{};
};

}  // namespace sandtrail::sim
