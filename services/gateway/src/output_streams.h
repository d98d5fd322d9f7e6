// SPDX-License-Identifier: Apache-2.0
// Open streams of output (SSE).
#pragma once

#include <memory>
#include <vector>

#include "heartbeat.h"
#include "output_session.h"
#include "runtime/runtime.h"
#include "stream_table.h"

namespace sandtrail::gateway {

// Thread-safe. At most limits::kWaitersMax are open.
class OutputStreams {
 public:
  OutputStreams(OutputParts parts, Millis heartbeat)
      : parts_(parts), heartbeat_(parts.timers, heartbeat, [this] { return beat(); }) {}

  // Writes what there is behind `from`, what comes, and the end; until `key`, which asked for it,
  // is revoked. To miss no event, call on the partition's thread. Cuts `stream` if too many are
  // open.
  void add(const ExecutionDoc& doc, const KeyId& key, std::shared_ptr<http::Stream> stream,
           const OutputCursor& from);
  // Tells who follows what became of their executions.
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch);
  // Cuts all, and takes no more: a reader comes back with Last-Event-ID.
  void stop();
  std::size_t size() const { return table_.size(); }
  bool full() const { return table_.full(); }

 private:
  using Table = StreamTable<std::shared_ptr<OutputSession>>;
  bool beat();
  void drop(Table::Id id);

  const OutputParts parts_;
  Table table_;
  Heartbeat heartbeat_;
};

}  // namespace sandtrail::gateway
