// SPDX-License-Identifier: Apache-2.0
// The writer thread: one batch, one write, one sync, then the answers. Answers come before the next
// batch is taken, so that who appends again when answered is in it. A second thread to write while
// the first one syncs was tried and was slower: smaller batches, more syncs.
#include <algorithm>
#include <chrono>

#include "base/file.h"
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
    if (!batch_.appends.empty()) write_batch();
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
  std::unique_lock lock(batch_mutex_);
  abandoned_ = true;
  answered_.wait(lock, [this] { return !answering_; });
  std::vector<AppendDone> left;
  for (QueuedAppend& append : batch_.appends) left.push_back(std::move(append.done));
  std::vector<QueuedAppend> queued;
  queue_.take_all(queued);
  for (QueuedAppend& append : queued) left.push_back(std::move(append.done));
  return left;
}

bool LogCore::begin_batch() {
  const std::lock_guard lock(batch_mutex_);
  if (abandoned_) return false;
  batch_.appends.clear();
  batch_.touched.clear();
  queue_.take_batch(batch_.appends);
  batch_.now = clock_.now();
  batch_.now_us = clock_.monotonic_us();
  return true;
}

void LogCore::write_batch() {
  if (const Status writable = check_writable(); !writable.ok()) {
    return answer_batch({AppendOutcome::Kind::not_committed, {}, {}, writable.error()});
  }
  rocksdb::Status status;
  Status marked;
  {
    const std::lock_guard lock(write_mutex_);
    build_batch_locked();
    rocksdb::WriteOptions options;
    options.sync = true;
    status = store_->db().Write(options, &writes_);
    if (status.ok() && options_.mark_every_commit) marked = save_head_locked();
    const bool done = status.ok() && marked.ok();
    for (const Batch::Touched& touched : batch_.touched) {
      if (!done) touched.partition->tail = touched.before;
      touched.partition->high = touched.partition->tail.next;
    }
    if (done && !options_.mark_every_commit) head_changed_ = true;
  }
  if (status.ok() && marked.ok()) {
    if (options_.on_batch) options_.on_batch(batch_.appends.size());
    return answer_batch({AppendOutcome::Kind::committed, {}, {}, {}});
  }
  if (status.ok()) {
    // The records are durable and nobody was told of a mark: they may be seen after a restart.
    fail(marked.error().message);
    Error error = marked.error();
    error.code = ErrorCode::unknown_outcome;
    return answer_batch({AppendOutcome::Kind::unknown, {}, {}, std::move(error)});
  }
  // Whatever went wrong, the records may be in the write-ahead log. After a failed sync nobody
  // knows what is on the disk, and another try may report success for pages the kernel has
  // dropped: so never again. Not so while a flush waits for space, when RocksDB refuses writes; the
  // positions are given again, which takes the place of whatever may have been written.
  const bool background_stall = watch_->no_space() && watch_->fatal().empty();
  if (!background_stall) fail(status.ToString());
  Error error = rocks_error("cannot write to the log", status);
  error.code = ErrorCode::unknown_outcome;
  answer_batch({AppendOutcome::Kind::unknown, {}, {}, std::move(error)});
}

// Gives positions and stamps and completes the encoded records.
void LogCore::build_batch_locked() {
  writes_.Clear();
  for (QueuedAppend& append : batch_.appends) {
    PartitionState& partition = *append.partition;
    Tail& tail = partition.tail;
    const bool is_known =
        std::any_of(batch_.touched.begin(), batch_.touched.end(),
                    [&](const auto& touched) { return touched.partition == &partition; });
    if (!is_known) batch_.touched.push_back({&partition, tail});
    tail.stamp = std::max(tail.stamp, batch_.now);
    append.stamp = tail.stamp;
    append.position = {tail.next++};
    tail.running = seal_record(append.record, append.position, append.stamp, tail.running);
    const Bytes key = record_key(partition.where.partition, append.position.value);
    ST_ASSERT(writes_.Put(partition.family, key, append.record.bytes).ok());
  }
}

void LogCore::answer_batch(AppendOutcome outcome) {
  std::size_t bytes = 0;
  for (const QueuedAppend& append : batch_.appends) bytes += append.record.bytes.size();
  {
    const std::lock_guard lock(batch_mutex_);
    if (abandoned_) return;
    answering_ = true;
  }
  queue_.release(batch_.appends.size(), bytes);
  for (QueuedAppend& append : batch_.appends) {
    if (outcome.committed()) outcome.position = append.position;
    if (outcome.committed()) outcome.stamp = append.stamp;
    if (append.done) append.done(outcome);
  }
  if (outcome.committed()) {
    for (const Batch::Touched& touched : batch_.touched) touched.partition->wakes->wake_all();
  }
  const std::lock_guard lock(batch_mutex_);
  batch_.appends.clear();
  answering_ = false;
  answered_.notify_all();
}

Status LogCore::check_writable() {
  if (const std::string reason = watch_->fatal(); !reason.empty()) fail(reason);
  if (const std::string reason = fatal(); !reason.empty()) return stopped_error(reason);
  const Error full{ErrorCode::disk_full, "the disk of " + directory_ + " is nearly full",
                   "free some space; appends go on by themselves"};
  if (options_.free_bytes_min > 0 && free_bytes(directory_) < options_.free_bytes_min) return full;
  if (!watch_->no_space()) return {};
  // A flush or compaction has met a full disk, and RocksDB refuses writes until it is told to go
  // on. Trying means writing a whole buffer, so not for every batch.
  if (batch_.now_us - resume_tried_us_ < kResumeIntervalUs) return full;
  resume_tried_us_ = batch_.now_us;
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
  const bool due = batch_.now_us - head_saved_us_ >= limits::kHeadMarkAgeMax.count * 1000;
  if (!at_once && !due) return;
  head_saved_us_ = batch_.now_us;
  const std::lock_guard lock(write_mutex_);
  // A full disk is shown by health(), and the next second tries again.
  static_cast<void>(save_head_locked().ok());
}

}  // namespace sandtrail::embedded
