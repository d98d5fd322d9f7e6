// SPDX-License-Identifier: Apache-2.0
#include "store/memory_kv_store.h"

#include <utility>

namespace sandtrail {

// Keeps one state of the map while it is read without the lock. Taken and given back under the
// lock, so that whoever sees a use count of one also sees that nobody reads any more.
class MemoryKvStore::Snapshot {
 public:
  explicit Snapshot(const MemoryKvStore& store) : store_(store) {
    const std::lock_guard lock(store_.mutex_);
    if (store_.read_error_) {
      error_ = *store_.read_error_;
    } else {
      map_ = store_.map_;
    }
  }
  ~Snapshot() {
    const std::lock_guard lock(store_.mutex_);
    map_.reset();
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  Status status() const { return map_ ? Status() : Status(error_); }
  const Map& map() const { return *map_; }
  Map::const_iterator end_of_range(BytesView end) const {
    return end.empty() ? map_->end() : map_->lower_bound(end);
  }

 private:
  const MemoryKvStore& store_;
  std::shared_ptr<const Map> map_;
  Error error_;
};

MemoryKvStore::MemoryKvStore() : map_(std::make_shared<Map>()) {}

Result<std::optional<Bytes>> MemoryKvStore::get(BytesView key) const {
  const std::lock_guard lock(mutex_);
  if (read_error_) return *read_error_;
  const auto found = map_->find(key);
  if (found == map_->end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

Status MemoryKvStore::scan(BytesView begin, BytesView end, const Visit& visit) const {
  const Snapshot snapshot(*this);
  ST_CHECK_OK(snapshot.status());
  if (!end.empty() && begin >= end) return {};
  const auto last = snapshot.end_of_range(end);
  for (auto it = snapshot.map().lower_bound(begin); it != last; ++it) {
    if (!visit(it->first, it->second)) break;
  }
  return {};
}

Status MemoryKvStore::scan_back(BytesView begin, BytesView end, const Visit& visit) const {
  const Snapshot snapshot(*this);
  ST_CHECK_OK(snapshot.status());
  if (!end.empty() && begin >= end) return {};
  const auto first = snapshot.map().lower_bound(begin);
  for (auto it = snapshot.end_of_range(end); it != first;) {
    --it;
    if (!visit(it->first, it->second)) break;
  }
  return {};
}

Status MemoryKvStore::write(const WriteBatch& batch, Sync sync) {
  const std::lock_guard lock(mutex_);
  if (write_error_) {
    return Error{ErrorCode::internal,
                 "the store stopped after a write error: " + write_error_->message,
                 "restart the process"};
  }
  if (next_write_error_) {
    write_error_ = std::exchange(next_write_error_, std::nullopt);
    return *write_error_;
  }
  if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
  for (const auto& [key, value] : batch.writes()) {
    if (!unsynced_.contains(key)) {
      const auto found = map_->find(key);
      unsynced_[key] = found == map_->end() ? std::nullopt : std::optional(found->second);
    }
    set(key, value);
  }
  if (sync == Sync::yes) unsynced_.clear();
  return {};
}

Status MemoryKvStore::compact(BytesView, BytesView) {
  // There are no files. Like a rewrite of files, it does not go with a store that stopped.
  const std::lock_guard lock(mutex_);
  if (write_error_) {
    return Error{ErrorCode::internal, "the store stopped after a write error", ""};
  }
  return {};
}

void MemoryKvStore::crash() {
  const std::lock_guard lock(mutex_);
  if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
  for (const auto& [key, value] : unsynced_) set(key, value);
  unsynced_.clear();
  next_write_error_.reset();
  write_error_.reset();
  read_error_.reset();
}

void MemoryKvStore::fail_next_write(Error error) {
  const std::lock_guard lock(mutex_);
  next_write_error_ = std::move(error);
}

void MemoryKvStore::fail_reads(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  read_error_ = std::move(error);
}

void MemoryKvStore::set(const Bytes& key, const std::optional<Bytes>& value) {
  if (value) {
    map_->insert_or_assign(key, *value);
  } else {
    map_->erase(key);
  }
}

}  // namespace sandtrail
