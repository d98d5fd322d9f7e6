// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>

#include "base/limits.h"

namespace sandtrail {

// How long this host may trust that launchers count on it. Thread-safe. Times are Clock::boot_us().
class HostLease {
 public:
  explicit HostLease(Millis fence) : fence_us_(fence.count * 1000) {}

  // A launcher has answered what was sent at that time. It counts from the sending, for that is
  // what the launcher cannot have heard later than.
  void renew(std::int64_t sent_us) {
    std::int64_t before = renewed_us_.load();
    while (before < sent_us && !renewed_us_.compare_exchange_weak(before, sent_us)) {
    }
  }
  // A launcher counts hosts as gone after this. The shortest of all holds.
  void agree(Millis lease) {
    const std::int64_t wanted_us = std::max<std::int64_t>(lease.count, 1000) * 1000 *
                                   limits::kHostFence.count / limits::kHostLease.count;
    std::int64_t before = fence_us_.load();
    while (wanted_us < before && !fence_us_.compare_exchange_weak(before, wanted_us)) {
    }
  }
  bool valid(std::int64_t now_us) const { return now_us - renewed_us_ <= fence_us_; }

 private:
  std::atomic<std::int64_t> renewed_us_{INT64_MIN / 2};
  std::atomic<std::int64_t> fence_us_;
};

}  // namespace sandtrail
