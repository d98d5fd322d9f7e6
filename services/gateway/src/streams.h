// SPDX-License-Identifier: Apache-2.0
// Open event streams (SSE) of executions that go on.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "http/server.h"
#include "runtime/runtime.h"
#include "timers.h"

namespace sandtrail::gateway {

// Thread-safe. At most limits::kWaitersMax are open.
class Streams {
 public:
  Streams(Timers& timers, Millis heartbeat);

  // Follows `execution` until it is over or `key`, which asked for it, is revoked. To miss no
  // event, call on the partition's thread. False, and nothing done, if too many are open.
  bool add(const ExecutionId& execution, const KeyId& key, std::shared_ptr<http::Stream> stream);
  // Writes the events of a batch to those who follow, and ends streams of executions that are over.
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch);
  // Cuts all, and takes no more: a reader comes back with Last-Event-ID.
  void stop();
  std::size_t size() const;
  bool full() const;

 private:
  using Id = std::uint64_t;
  using Follower = std::pair<Id, std::shared_ptr<http::Stream>>;
  void beat();
  struct Entry {
    ExecutionId execution;
    KeyId key;
    std::shared_ptr<http::Stream> stream;
  };
  std::vector<Follower> of(const ExecutionId& execution) const;
  void cut_off(const KeyId& key);
  void drop(Id id);

  Timers& timers_;
  const Millis heartbeat_;
  mutable std::mutex mutex_;
  std::unordered_map<Id, Entry> streams_;
  std::unordered_multimap<ExecutionId, Id> by_execution_;
  Id next_ = 1;
  bool beating_ = false;
  bool stopped_ = false;
};

}  // namespace sandtrail::gateway
