// SPDX-License-Identifier: Apache-2.0
// What an embedded log open for writing consists of. Held by shared_ptr: readers and, if the disk
// hangs at close, the writer thread outlive the EventLog.
//
// Locks, in the order they may be taken: gate, write_mutex, those within the parts; batch_mutex
// with nothing but the queue's.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "append_queue.h"
#include "base/clock.h"
#include "base/fd.h"
#include "consumers.h"
#include "log_embedded/embedded_log.h"
#include "log_embedded/head_mark.h"
#include "rocks.h"
#include "scan.h"
#include "store.h"
#include "topics.h"

namespace sandtrail::embedded {

// Appends that are written, synced and answered together.
struct Batch {
  UnixMs now;
  std::int64_t now_us = 0;
  std::vector<QueuedAppend> appends;
  // Partitions the batch adds to, and what they were before it.
  struct Touched {
    PartitionState* partition;
    Tail before;
  };
  std::vector<Touched> touched;
};

class LogCore {
 public:
  // recovery.cc
  static Result<std::shared_ptr<LogCore>> open(const std::string& directory,
                                               const EmbeddedLogOptions& options,
                                               const Clock& clock, Random& random,
                                               rocksdb::Env* env);
  ~LogCore();

  // --- core.cc ---
  Status ensure_topic(const TopicSpec& spec);
  Status trim(PartitionState& partition, Position before);
  Result<ReadBatch> read(const PartitionState& partition, Cursor& cursor, std::size_t bytes_max);
  void report(const std::string& group, const TopicPartition& where, Position durable);
  ReportedPositions reported() const;
  Result<TopicFacts> facts(const std::string& topic);
  LogHealth health() const;
  std::string fatal() const;  // empty: none
  // After this nothing is read or written any more.
  void close_store();

  // --- writer.cc ---
  // The writer thread: returns when the queue is closed and drained, or after abandon().
  void run_writer();
  // True once run_writer() has returned; waits for it at most so long.
  bool wait_for_writer(Millis at_most);
  // Takes the unanswered appends away from a writer that hangs, or waits for the answers it is just
  // giving. From now on it touches neither callbacks nor the clock, and ends when the disk answers.
  std::vector<AppendDone> abandon();

  const TopicTable& topics() const { return topics_; }
  AppendQueue& queue() { return queue_; }
  const std::string& identity() const { return head_.identity; }

 private:
  LogCore(std::string directory, EmbeddedLogOptions options, const Clock& clock);

  // --- recovery.cc ---
  Status recover(Random& random, rocksdb::Env* env);
  // True if records had to be dropped to open it at all, which takes accept_loss.
  Result<bool> open_store(rocksdb::Env* env);
  Status begin_as(const std::string& identity, const HeadMark& before);

  // --- core.cc ---
  LogHealth health_now() const;
  void fail(const std::string& reason);
  Status save_head_locked();  // write_mutex_ held

  // --- writer.cc ---
  bool begin_batch();
  void write_batch();
  void build_batch_locked();
  Status check_writable();
  // The outcome is the same for all but for position and stamp of what is committed.
  void answer_batch(AppendOutcome outcome);
  void save_head_if_due(bool at_once);

  const std::string directory_;
  const EmbeddedLogOptions options_;
  const Clock& clock_;
  UniqueFd lock_;
  const std::shared_ptr<ErrorWatch> watch_ = std::make_shared<ErrorWatch>();

  mutable std::shared_mutex gate_;  // held shared while the store is read; closed under it
  std::unique_ptr<Store> store_;

  TopicTable topics_;
  Consumers consumers_;
  AppendQueue queue_;

  std::mutex write_mutex_;  // one write to the store at a time, and the tails it builds on
  rocksdb::WriteBatch writes_;
  HeadMark head_;  // identity and boots, which never change while the log is open
  std::atomic<bool> head_changed_{false};
  std::atomic<bool> head_failed_{false};

  mutable HealthWatch health_watch_;
  mutable std::mutex fatal_mutex_;
  std::string fatal_;

  // The writer's, but that abandon() may take the callbacks while holding batch_mutex_.
  Batch batch_;
  std::int64_t head_saved_us_ = 0;
  std::int64_t resume_tried_us_ = 0;
  std::mutex batch_mutex_;
  std::condition_variable answered_;
  bool answering_ = false;
  bool abandoned_ = false;

  std::mutex done_mutex_;
  std::condition_variable done_changed_;
  bool writer_done_ = false;
};

}  // namespace sandtrail::embedded
