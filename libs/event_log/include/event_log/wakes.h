// SPDX-License-Identifier: Apache-2.0
// Who wants to hear of new records in one partition.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sandtrail {

// Thread-safe. Must be held by a shared_ptr: handles may outlive the log.
class WakeList : public std::enable_shared_from_this<WakeList> {
 public:
  // `wake` is called by wake_all() until the handle is destroyed, which waits for a running call,
  // unless it is destroyed from within that call.
  std::shared_ptr<void> add(std::function<void()> wake);
  void wake_all();
  bool empty() const { return count_.load() == 0; }

 private:
  struct Subscription;
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
};

}  // namespace sandtrail
