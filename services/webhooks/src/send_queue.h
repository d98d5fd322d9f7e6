// SPDX-License-Identifier: Apache-2.0
// Bounds requests in flight: in all, of one organisation and to one host, so that a slow receiver
// holds up only itself, and an organisation with many of them only itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/id.h"
#include "base/limits.h"

namespace sandtrail {

// Thread-safe. A task starts on the thread that makes room for it. Room goes to the organisation
// that has the least in flight, there in the order of submit().
class SendQueue {
 public:
  using Task = std::function<void()>;

  // Starts it now or when there is room; finished() must be called once it is over.
  void submit(const OrgId& org, const std::string& host, Task task) {
    {
      const std::lock_guard lock(mutex_);
      orgs_[org].waiting.push_back({host, std::move(task)});
    }
    start_some();
  }
  void finished(const OrgId& org, const std::string& host) {
    {
      const std::lock_guard lock(mutex_);
      --in_flight_;
      if (--per_host_[host] == 0) per_host_.erase(host);
      const auto found = orgs_.find(org);
      if (--found->second.in_flight == 0 && found->second.waiting.empty()) orgs_.erase(found);
    }
    start_some();
  }

 private:
  struct Waiting {
    std::string host;
    Task task;
  };
  struct Org {
    std::size_t in_flight = 0;
    std::deque<Waiting> waiting;
  };

  void start_some() {
    while (const Task task = take_next()) task();
  }

  // Counts it as in flight. Empty: none may start.
  Task take_next() {
    const std::lock_guard lock(mutex_);
    if (in_flight_ >= limits::kWebhookInFlightMax) return {};
    Org* next = nullptr;
    std::deque<Waiting>::iterator place;
    for (auto& [id, org] : orgs_) {
      if (org.in_flight >= limits::kWebhookInFlightPerOrgMax) continue;
      if (next != nullptr && org.in_flight >= next->in_flight) continue;
      auto found = org.waiting.begin();
      while (found != org.waiting.end() && !has_room(found->host)) ++found;
      if (found == org.waiting.end()) continue;
      next = &org;
      place = found;
    }
    if (next == nullptr) return {};
    ++in_flight_;
    ++next->in_flight;
    ++per_host_[place->host];
    Task task = std::move(place->task);
    next->waiting.erase(place);
    return task;
  }
  bool has_room(const std::string& host) const {
    const auto found = per_host_.find(host);
    return found == per_host_.end() || found->second < limits::kWebhookInFlightPerHostMax;
  }

  std::mutex mutex_;
  std::map<OrgId, Org> orgs_;
  std::size_t in_flight_ = 0;
  std::map<std::string, std::size_t> per_host_;
};

}  // namespace sandtrail
