// SPDX-License-Identifier: Apache-2.0
#include "event_log/wakes.h"

#include <thread>

namespace sandtrail {

struct WakeList::Subscription {
  std::mutex calling;  // held while `wake` runs
  std::atomic<std::thread::id> caller{};
  bool live = true;  // guarded by `calling`
  std::function<void()> wake;

  void call() {
    const std::lock_guard lock(calling);
    if (!live) return;
    caller = std::this_thread::get_id();
    wake();
    caller = std::thread::id();
  }
  void stop() {
    if (caller.load() == std::this_thread::get_id()) {
      live = false;  // within call(), which holds the mutex
      return;
    }
    const std::lock_guard lock(calling);
    live = false;
  }
};

std::shared_ptr<void> WakeList::add(std::function<void()> wake) {
  auto subscription = std::make_shared<Subscription>();
  subscription->wake = std::move(wake);
  {
    const std::lock_guard lock(mutex_);
    subscriptions_.push_back(subscription);
    count_ = subscriptions_.size();
  }
  return {subscription.get(), [list = shared_from_this(), subscription](void*) {
            {
              const std::lock_guard lock(list->mutex_);
              std::erase(list->subscriptions_, subscription);
              list->count_ = list->subscriptions_.size();
            }
            subscription->stop();
          }};
}

void WakeList::wake_all() {
  if (empty()) return;
  std::vector<std::shared_ptr<Subscription>> called;
  {
    const std::lock_guard lock(mutex_);
    called = subscriptions_;
  }
  for (const auto& subscription : called) subscription->call();
}

}  // namespace sandtrail
