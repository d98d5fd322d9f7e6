// SPDX-License-Identifier: Apache-2.0
// What is to be done later.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.h"

namespace sandtrail::gateway {

// Thread-safe. With a thread of its own it runs what is due; without, run_due() does.
class Timers {
 public:
  using Id = std::uint64_t;

  Timers(const Clock& clock, bool thread);
  ~Timers() { stop(); }
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // `run` is called once, outside the lock, and must not block. After stop(): never.
  Id after(Millis span, std::function<void()> run);
  // It may be running already.
  void cancel(Id id);
  void run_due();
  // Forgets everything; waits for a running call. Not from a timer.
  void stop();

 private:
  void loop();

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::int64_t, Id>, std::function<void()>> due_;  // by monotonic µs
  std::unordered_map<Id, std::int64_t> due_of_;
  Id next_ = 1;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace sandtrail::gateway
