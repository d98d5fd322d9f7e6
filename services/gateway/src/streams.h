// SPDX-License-Identifier: Apache-2.0
// Open event streams (SSE) of executions that go on.
#pragma once

#include <memory>
#include <vector>

#include "heartbeat.h"
#include "http/server.h"
#include "runtime/runtime.h"
#include "stream_table.h"

namespace sandtrail::gateway {

// Thread-safe. At most limits::kWaitersMax are open.
class Streams {
 public:
  Streams(Timers& timers, Millis heartbeat)
      : heartbeat_(timers, heartbeat, [this] { return beat(); }) {}

  // Follows `execution` until it is over or `key`, which asked for it, is revoked. To miss no
  // event, call on the partition's thread. False, and nothing done, if too many are open.
  bool add(const ExecutionId& execution, const KeyId& key, std::shared_ptr<http::Stream> stream);
  // Writes the events of a batch to those who follow, and ends streams of executions that are over.
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch);
  // Cuts all, and takes no more: a reader comes back with Last-Event-ID.
  void stop();
  std::size_t size() const { return table_.size(); }
  bool full() const { return table_.full(); }

 private:
  bool beat();

  StreamTable<std::shared_ptr<http::Stream>> table_;
  Heartbeat heartbeat_;
};

}  // namespace sandtrail::gateway
