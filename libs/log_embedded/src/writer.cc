// SPDX-License-Identifier: Apache-2.0
// The writer thread: one batch, one write, one sync, then the answers.
#include <algorithm>
#include <chrono>

#include "core.h"
#include "event_log/checks.h"

namespace sandtrail::embedded {
namespace {

constexpr std::int64_t kResumeIntervalUs = 1'000'000;

Error stopped_error(const std::string& reason) {
  return {ErrorCode::internal, "the log has stopped: " + reason,
          "see to the disk, then restart the process"};
}

}  // namespace

void LogCore::run_writer() {
  for (;;) {
    const bool idle = !queue_.wait(head_changed_.load() ? limits::kHeadMarkAgeMax : Millis{-1});
    if (!begin_batch()) break;
    if (!batch_.empty()) write_batch();
    const bool finished = queue_.finished();
    save_head_if_due(idle || finished);
    if (finished) break;
  }
  const std::lock_guard lock(done_mutex_);
  writer_done_ = true;
  done_changed_.notify_all();
}

bool LogCore::wait_for_writer(Millis at_most) {
  std::unique_lock lock(done_mutex_);
  return done_changed_.wait_for(lock, std::chrono::milliseconds(at_most.count),
                                [this] { return writer_done_; });
}

std::vector<AppendDone> LogCore::abandon() {
  const std::lock_guard lock(batch_mutex_);
  abandoned_ = true;
  std::vector<AppendDone> left;
  for (QueuedAppend& append : batch_) left.push_back(std::move(append.done));
  std::vector<QueuedAppend> queued;
  queue_.take_all(queued);
  for (QueuedAppend& append : queued) left.push_back(std::move(append.done));
  return left;
}

bool LogCore::begin_batch() {
  const std::lock_guard lock(batch_mutex_);
  if (abandoned_) return false;
  queue_.take_batch(batch_);
  now_ = clock_.now();
  now_us_ = clock_.monotonic_us();
  return true;
}

void LogCore::write_batch() {
  if (const std::string reason = watch_->fatal(); !reason.empty()) fail(reason);
  if (const std::string reason = fatal(); !reason.empty()) {
    return refuse_batch(AppendOutcome::Kind::not_committed, stopped_error(reason));
  }
  if (const Status space = check_space(); !space.ok()) {
    return refuse_batch(AppendOutcome::Kind::not_committed, space.error());
  }
  rocksdb::Status status;
  {
    const std::lock_guard lock(write_mutex_);
    build_batch_locked();
    rocksdb::WriteOptions options;
    options.sync = true;
    status = store_->db().Write(options, &writes_);
    status.ok() ? publish_locked() : roll_back_locked();
  }
  finish_batch(status);
}

// Gives positions and stamps and completes the encoded records.
void LogCore::build_batch_locked() {
  writes_.Clear();
  touched_.clear();
  Bytes key;
  for (QueuedAppend& append : batch_) {
    PartitionState& partition = *append.partition;
    const bool known = std::any_of(touched_.begin(), touched_.end(), [&](const Touched& touched) {
      return touched.partition == &partition;
    });
    if (!known) {
      touched_.push_back({&partition, partition.next, partition.running, partition.stamp});
    }
    partition.stamp = std::max(partition.stamp, now_);
    append.stamp = partition.stamp;
    append.position = {partition.next++};
    partition.running =
        seal_record(append.record, append.position, append.stamp, partition.running);
    key = record_key(partition.where.partition, append.position.value);
    ST_ASSERT(writes_.Put(partition.family, key, append.record.bytes).ok());
  }
}

void LogCore::roll_back_locked() {
  for (const Touched& touched : touched_) {
    touched.partition->next = touched.next;
    touched.partition->running = touched.running;
    touched.partition->stamp = touched.stamp;
  }
}

void LogCore::publish_locked() {
  for (const Touched& touched : touched_) touched.partition->high = touched.partition->next;
  head_changed_ = true;
}

void LogCore::finish_batch(const rocksdb::Status& status) {
  if (!status.ok()) {
    // Whatever it was, the records may be in the write-ahead log.
    const bool background_stall = watch_->no_space() && watch_->fatal().empty();
    if (!background_stall) fail(status.ToString());
    Error error = rocks_error("cannot write to the log", status);
    error.code = ErrorCode::unknown_outcome;
    return refuse_batch(AppendOutcome::Kind::unknown, error);
  }
  std::vector<QueuedAppend> batch;
  {
    const std::lock_guard lock(batch_mutex_);
    if (abandoned_) return;
    std::swap(batch, batch_);
  }
  std::size_t bytes = 0;
  for (const QueuedAppend& append : batch) bytes += append.record.bytes.size();
  queue_.release(batch.size(), bytes);
  AppendOutcome outcome;
  outcome.kind = AppendOutcome::Kind::committed;
  for (QueuedAppend& append : batch) {
    outcome.position = append.position;
    outcome.stamp = append.stamp;
    if (append.done) append.done(outcome);
  }
  for (const Touched& touched : touched_) touched.partition->wakes->wake_all();
}

void LogCore::refuse_batch(AppendOutcome::Kind kind, const Error& error) {
  std::vector<QueuedAppend> batch;
  {
    const std::lock_guard lock(batch_mutex_);
    if (abandoned_) return;
    std::swap(batch, batch_);
  }
  std::size_t bytes = 0;
  for (const QueuedAppend& append : batch) bytes += append.record.bytes.size();
  queue_.release(batch.size(), bytes);
  const AppendOutcome outcome{kind, {}, {}, error};
  for (QueuedAppend& append : batch) {
    if (append.done) append.done(outcome);
  }
}

Status LogCore::check_space() {
  const Error full{ErrorCode::disk_full, "the disk of " + directory_ + " is nearly full",
                   "free some space; appends go on by themselves"};
  if (options_.free_bytes_min > 0 && free_bytes(directory_) < options_.free_bytes_min) return full;
  if (!watch_->no_space()) return {};
  // A flush or compaction has met a full disk, and RocksDB refuses writes until it is told to go
  // on. Trying means writing a whole buffer, so not for every batch.
  if (now_us_ - resume_tried_us_ < kResumeIntervalUs) return full;
  resume_tried_us_ = now_us_;
  watch_->set_no_space(false);
  const rocksdb::Status resumed = store_->db().Resume();
  if (resumed.ok()) return {};
  if (resumed.IsNoSpace()) {
    watch_->set_no_space(true);
    return full;
  }
  fail(resumed.ToString());
  return stopped_error(resumed.ToString());
}

void LogCore::save_head_if_due(bool at_once) {
  if (!head_changed_.load() || !fatal().empty()) return;
  const std::int64_t age_us = now_us_ - head_saved_us_;
  if (!at_once && age_us < limits::kHeadMarkAgeMax.count * 1000) return;
  const std::lock_guard lock(write_mutex_);
  head_saved_us_ = now_us_;
  // A full disk is shown by health(), and the next second tries again.
  static_cast<void>(save_head_locked().ok());
}

}  // namespace sandtrail::embedded
