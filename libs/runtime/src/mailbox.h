// SPDX-License-Identifier: Apache-2.0
// What other threads want done on a partition's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iterator>
#include <mutex>
#include <vector>

#include "base/limits.h"

namespace sandtrail {

// Thread-safe.
class Mailbox {
 public:
  using Task = std::function<void()>;

  // Always taken: what was begun here has to end here. False once take_last() found nothing.
  bool post(Task task) {
    const std::lock_guard lock(mutex_);
    return push(std::move(task));
  }
  // Refused when limits::kMailboxMax tasks wait, or after close().
  bool offer(Task task) {
    const std::lock_guard lock(mutex_);
    return !closed_ && tasks_.size() < limits::kMailboxMax && push(std::move(task));
  }

  // Marks that there may be something new, without a task.
  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }
  // Everything posted so far, in order.
  std::vector<Task> take() {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    return drain();
  }
  // After close(), until it returns nothing: from then on nothing is taken any more.
  std::vector<Task> take_last() {
    const std::lock_guard lock(mutex_);
    sealed_ = tasks_.empty();
    return drain();
  }
  // Until woken, a task arrives or the time is over.
  void wait(std::int64_t microseconds) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::microseconds(microseconds),
                      [this] { return woken_ || !tasks_.empty() || closed_; });
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }
  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  bool push(Task task) {
    if (sealed_) return false;
    tasks_.push_back(std::move(task));
    changed_.notify_one();
    return true;
  }
  std::vector<Task> drain() {
    std::vector<Task> out(std::make_move_iterator(tasks_.begin()),
                          std::make_move_iterator(tasks_.end()));
    tasks_.clear();
    return out;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool woken_ = false;
  bool closed_ = false;  // the owner is about to stop
  bool sealed_ = false;  // it has
};

}  // namespace sandtrail
