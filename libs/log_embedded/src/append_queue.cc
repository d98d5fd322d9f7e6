// SPDX-License-Identifier: Apache-2.0
#include "append_queue.h"

#include <chrono>
#include <thread>
#include <utility>

#include "base/limits.h"

namespace sandtrail::embedded {
namespace {

// A caller who appends again when it is answered comes back within some 50 µs. Waking a thread
// costs as much again, which is a quarter of a sync on a fast disk.
constexpr int kSpins = 100;

}  // namespace

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
    ++pending_;
    wake = std::exchange(waiting_, false);
  }
  if (wake) work_.notify_one();
  return Push::accepted;
}

bool AppendQueue::wait(Millis at_most) {
  for (int i = 0; i < kSpins && pending_ == 0; ++i) std::this_thread::yield();
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return pending_ > 0 || nudged_ || closed_; };
  bool came = true;
  waiting_ = true;
  if (at_most.count < 0) {
    work_.wait(lock, ready);
  } else {
    came = work_.wait_for(lock, std::chrono::milliseconds(at_most.count), ready);
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
      if (out.size() == limits::kAppendBatchRecordsMax ||
          (!out.empty() && bytes > limits::kAppendBatchBytesMax)) {
        pending_ -= out.size();
        return;
      }
      out.push_back(std::move(next));
    }
    taking_.clear();
    taken_ = 0;
    const std::lock_guard lock(mutex_);
    if (incoming_.empty()) break;
    std::swap(incoming_, taking_);
  }
  pending_ -= out.size();
}

void AppendQueue::take_all(std::vector<QueuedAppend>& out) {
  const std::lock_guard lock(mutex_);
  for (; taken_ < taking_.size(); ++taken_) out.push_back(std::move(taking_[taken_]));
  taking_.clear();
  taken_ = 0;
  for (QueuedAppend& append : incoming_) out.push_back(std::move(append));
  incoming_.clear();
  pending_ = 0;
}

void AppendQueue::release(std::size_t records, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  records_ -= records;
  bytes_ -= bytes;
}

void AppendQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  work_.notify_all();
}

bool AppendQueue::finished() const {
  const std::lock_guard lock(mutex_);
  return closed_ && pending_ == 0;
}

}  // namespace sandtrail::embedded
