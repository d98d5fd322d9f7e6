// SPDX-License-Identifier: Apache-2.0
// Something to do again and again while there is somebody to do it for.
#pragma once

#include <atomic>
#include <functional>

#include "timers.h"

namespace sandtrail::gateway {

// Thread-safe. Must outlive the timers' last run.
class Heartbeat {
 public:
  // `beat` says whether anybody is left; it runs as a timer does.
  Heartbeat(Timers& timers, Millis period, std::function<bool()> beat)
      : timers_(timers), period_(period), beat_(std::move(beat)) {}

  // After somebody came.
  void start() {
    if (!beating_.exchange(true)) timers_.after(period_, [this] { run(); });
  }

 private:
  void run() {
    // Who comes after this starts it; who came before is seen by `beat`.
    beating_ = false;
    if (beat_()) start();
  }

  Timers& timers_;
  const Millis period_;
  const std::function<bool()> beat_;
  std::atomic<bool> beating_{false};
};

}  // namespace sandtrail::gateway
