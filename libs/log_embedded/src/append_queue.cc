// SPDX-License-Identifier: Apache-2.0
#include "append_queue.h"

#include <chrono>

#include "base/limits.h"

namespace sandtrail::embedded {

AppendQueue::Push AppendQueue::push(QueuedAppend&& append) {
  const std::size_t bytes = append.record.bytes.size();
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Push::closed;
    if (records_ >= limits::kAppendQueueRecordsMax ||
        bytes_ + bytes > limits::kAppendQueueBytesMax) {
      return Push::full;
    }
    records_ += 1;
    bytes_ += bytes;
    incoming_.push_back(std::move(append));
    wake = waiting_;
    waiting_ = false;
  }
  if (wake) work_.notify_one();
  return Push::accepted;
}

bool AppendQueue::wait(Millis at_most) {
  std::unique_lock lock(mutex_);
  if (taken_ < taking_.size()) return true;
  const auto ready = [this] { return !incoming_.empty() || nudged_ || closed_; };
  const auto ready_or_note = [&] { return ready() || ((waiting_ = true), false); };
  bool came = true;
  if (at_most.count < 0) {
    work_.wait(lock, ready_or_note);
  } else {
    came = work_.wait_for(lock, std::chrono::milliseconds(at_most.count), ready_or_note);
  }
  waiting_ = false;
  nudged_ = false;
  return came;
}

void AppendQueue::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  work_.notify_one();
}

void AppendQueue::take_batch(std::vector<QueuedAppend>& out) {
  std::size_t bytes = 0;
  for (;;) {
    for (; taken_ < taking_.size(); ++taken_) {
      QueuedAppend& next = taking_[taken_];
      bytes += next.record.bytes.size();
      if (out.size() == limits::kAppendBatchRecordsMax) return;
      if (!out.empty() && bytes > limits::kAppendBatchBytesMax) return;
      out.push_back(std::move(next));
    }
    taking_.clear();
    taken_ = 0;
    const std::lock_guard lock(mutex_);
    if (incoming_.empty()) return;
    std::swap(incoming_, taking_);
  }
}

void AppendQueue::take_all(std::vector<QueuedAppend>& out) {
  const std::lock_guard lock(mutex_);
  for (; taken_ < taking_.size(); ++taken_) out.push_back(std::move(taking_[taken_]));
  taking_.clear();
  taken_ = 0;
  for (QueuedAppend& append : incoming_) out.push_back(std::move(append));
  incoming_.clear();
}

void AppendQueue::release(std::size_t records, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  records_ -= records;
  bytes_ -= bytes;
}

void AppendQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  work_.notify_one();
}

bool AppendQueue::finished() const {
  const std::lock_guard lock(mutex_);
  return closed_ && incoming_.empty() && taken_ == taking_.size();
}

}  // namespace sandtrail::embedded
