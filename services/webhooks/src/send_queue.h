// SPDX-License-Identifier: Apache-2.0
// Bounds requests in flight: in all, and to one host, so that a slow receiver holds up only itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/limits.h"

namespace sandtrail {

// Thread-safe. A task starts on the thread that makes room for it.
class SendQueue {
 public:
  using Task = std::function<void()>;

  // Starts it now or when there is room; finished(host) must be called once it is over.
  void submit(const std::string& host, Task task) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back({host, std::move(task)});
    }
    start_some();
  }
  void finished(const std::string& host) {
    {
      const std::lock_guard lock(mutex_);
      --in_flight_;
      if (--per_host_[host] == 0) per_host_.erase(host);
    }
    start_some();
  }

 private:
  struct Waiting {
    std::string host;
    Task task;
  };

  void start_some() {
    for (;;) {
      Task task;
      {
        const std::lock_guard lock(mutex_);
        auto it = waiting_.begin();
        while (it != waiting_.end() && !has_room(it->host)) ++it;
        if (it == waiting_.end()) return;
        ++in_flight_;
        ++per_host_[it->host];
        task = std::move(it->task);
        waiting_.erase(it);
      }
      task();
    }
  }
  bool has_room(const std::string& host) const {
    if (in_flight_ >= limits::kWebhookInFlightMax) return false;
    const auto found = per_host_.find(host);
    return found == per_host_.end() || found->second < limits::kWebhookInFlightPerHostMax;
  }

  std::mutex mutex_;
  std::deque<Waiting> waiting_;
  std::size_t in_flight_ = 0;
  std::map<std::string, std::size_t> per_host_;
};

}  // namespace sandtrail
