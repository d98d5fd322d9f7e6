// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "base/id.h"
#include "base/limits.h"

namespace sandtrail {

// What became of launch orders, so that a repeat is known as one: a bounded memory, the oldest goes
// first. It guards against repeats that come soon; against a launcher that was replaced long ago
// the owner's epoch does.
class SeenAttempts {
 public:
  using Key = std::pair<ExecutionId, std::int64_t>;

  explicit SeenAttempts(std::size_t most = limits::kHostSeenAttemptsMax) : most_(most) {}

  bool contains(const Key& key) const { return refused_.contains(key); }
  // Empty: it was launched.
  const std::string& refusal(const Key& key) const { return refused_.at(key); }
  void add(const Key& key, std::string refusal) {
    if (!refused_.insert_or_assign(key, std::move(refusal)).second) return;
    order_.push_back(key);
    if (order_.size() <= most_) return;
    refused_.erase(order_.front());
    order_.pop_front();
  }
  void clear() {
    refused_.clear();
    order_.clear();
  }

 private:
  std::size_t most_;
  std::map<Key, std::string> refused_;
  std::deque<Key> order_;
};

}  // namespace sandtrail
