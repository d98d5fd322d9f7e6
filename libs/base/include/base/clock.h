// SPDX-License-Identifier: Apache-2.0
// The Clock port and its twin. No other code of Sandtrail reads a clock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace sandtrail {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMs now() const = 0;
  // Microseconds that never go back; only differences mean something.
  virtual std::int64_t monotonic_us() const = 0;
  // The same, but it also counts while the machine sleeps: for promises made to others.
  virtual std::int64_t boot_us() const { return monotonic_us(); }
};

class SystemClock final : public Clock {
 public:
  UnixMs now() const override;
  std::int64_t monotonic_us() const override;
  std::int64_t boot_us() const override;  // CLOCK_BOOTTIME
};

// The twin: stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMs start = {1'700'000'000'000}) : now_ms_(start.count) {}
  UnixMs now() const override { return {now_ms_.load()}; }
  std::int64_t monotonic_us() const override { return monotonic_us_.load(); }

  void advance(Millis span) {
    now_ms_ += span.count;
    monotonic_us_ += span.count * 1000;
  }
  // Moves the wall clock only, as an administrator or NTP would.
  void jump(Millis span) { now_ms_ += span.count; }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> monotonic_us_{0};
};

}  // namespace sandtrail
