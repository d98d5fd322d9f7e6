// SPDX-License-Identifier: Apache-2.0
// Who follows which execution, under which key. For event streams and streams of output.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "domain/event.h"

namespace sandtrail::gateway {

// Thread-safe. Holds at most limits::kWaitersMax handles (shared pointers); what it gives out is
// released, and may call back, outside of its lock.
template <typename Handle>
class StreamTable {
 public:
  using Id = std::uint64_t;
  using Entries = std::vector<std::pair<Id, Handle>>;

  // nullopt: too many, or stopped.
  std::optional<Id> add(const ExecutionId& execution, const KeyId& key, Handle handle) {
    const std::lock_guard lock(mutex_);
    if (full_locked()) return std::nullopt;
    const Id id = next_++;
    entries_[id] = {execution, key, std::move(handle)};
    by_execution_.emplace(execution, id);
    return id;
  }

  Entries of(const ExecutionId& execution) const {
    const std::lock_guard lock(mutex_);
    Entries out;
    const auto [first, last] = by_execution_.equal_range(execution);
    for (auto at = first; at != last; ++at) {
      out.emplace_back(at->second, entries_.at(at->second).handle);
    }
    return out;
  }
  Entries of_key(const KeyId& key) const {
    const std::lock_guard lock(mutex_);
    Entries out;
    for (const auto& [id, entry] : entries_) {
      if (entry.key == key) out.emplace_back(id, entry.handle);
    }
    return out;
  }
  Entries all() const {
    const std::lock_guard lock(mutex_);
    Entries out;
    for (const auto& [id, entry] : entries_) out.emplace_back(id, entry.handle);
    return out;
  }

  // Null if it is gone already.
  Handle take(Id id) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return nullptr;
    Handle handle = std::move(found->second.handle);
    const auto [first, end] = by_execution_.equal_range(found->second.execution);
    for (auto at = first; at != end; ++at) {
      if (at->second != id) continue;
      by_execution_.erase(at);
      break;
    }
    entries_.erase(found);
    return handle;
  }
  // From then on it takes no more.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  bool full() const {
    const std::lock_guard lock(mutex_);
    return full_locked();
  }

 private:
  struct Entry {
    ExecutionId execution;
    KeyId key;
    Handle handle;
  };
  bool full_locked() const { return stopped_ || entries_.size() >= limits::kWaitersMax; }

  mutable std::mutex mutex_;
  std::unordered_map<Id, Entry> entries_;
  std::unordered_multimap<ExecutionId, Id> by_execution_;
  Id next_ = 1;
  bool stopped_ = false;
};

}  // namespace sandtrail::gateway
