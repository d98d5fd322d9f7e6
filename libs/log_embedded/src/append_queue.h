// SPDX-License-Identifier: Apache-2.0
// The bounded queue between appenders and the writer thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "event_log/event_log.h"
#include "event_log/record_codec.h"
#include "topics.h"

namespace sandtrail::embedded {

struct QueuedAppend {
  PartitionState* partition = nullptr;
  EncodedRecord record;
  AppendDone done;
  Position position;  // set by the writer, as is the stamp
  UnixMs stamp;
};

// Many producers, one consumer; take_batch() and take_all() exclude each other by a lock of the
// caller's. What was taken counts against the limits until it is released, so that a stalled disk
// bounds the memory.
class AppendQueue {
 public:
  enum class Push { accepted, full, closed };
  Push push(QueuedAppend&& append);  // moves from `append` only if it is accepted

  // Waits for appends, a nudge, close() or the end of `at_most`; false if it was the last. A
  // negative span waits for ever.
  bool wait(Millis at_most);
  void nudge();
  // Up to a batch of appends, in order; `out` must be empty.
  void take_batch(std::vector<QueuedAppend>& out);
  // Everything.
  void take_all(std::vector<QueuedAppend>& out);
  void release(std::size_t records, std::size_t bytes);

  void close();  // push() refuses from now on
  // Closed, and nothing left to take.
  bool finished() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable work_;
  bool waiting_ = false;
  bool nudged_ = false;
  bool closed_ = false;
  std::size_t records_ = 0;  // queued or taken and not yet released
  std::size_t bytes_ = 0;
  std::atomic<std::size_t> pending_{0};  // queued and not yet taken
  std::vector<QueuedAppend> incoming_;
  // Swapped with `incoming_` and emptied by takers alone, so that producers wait for a swap at
  // most, not for a batch to be moved.
  std::vector<QueuedAppend> taking_;
  std::size_t taken_ = 0;
};

}  // namespace sandtrail::embedded
