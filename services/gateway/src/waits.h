// SPDX-License-Identifier: Apache-2.0
// Requests that wait for the end of an execution, without holding a thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "http/server.h"
#include "runtime/runtime.h"
#include "timers.h"

namespace sandtrail::gateway {

// Thread-safe. At most limits::kWaitersMax wait.
class Waits {
 public:
  explicit Waits(Timers& timers) : timers_(timers) {}

  // Calls `over` once: on the partition's thread after the terminal event was committed, or from a
  // timer when the time is over. Not at all if the peer of `responder` goes away. False if too many
  // wait, or it was stopped. To miss no event, call on the partition's thread.
  bool add(const ExecutionId& execution, Millis wait, http::Responder& responder,
           std::function<void()> over);

  // The terminal events of a batch.
  void on_committed(const std::vector<Folded>& batch);
  // Ends all at once; from then on nothing waits.
  void stop();
  std::size_t size() const;

 private:
  struct Wait {
    ExecutionId execution;
    Timers::Id timer = 0;
    std::function<void()> over;
  };
  using Id = std::uint64_t;
  // Takes it out; empty if it is over already.
  std::function<void()> take(Id id);

  Timers& timers_;
  mutable std::mutex mutex_;
  std::unordered_map<Id, Wait> waits_;
  std::unordered_multimap<ExecutionId, Id> by_execution_;
  Id next_ = 1;
  bool stopped_ = false;
};

}  // namespace sandtrail::gateway
