// SPDX-License-Identifier: Apache-2.0
// Rows of the core, kept in memory and mirrored to a store: a table knows which rows changed.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "codec/text.h"

namespace sandtrail {

template <typename Key>
struct KeyBytes {
  static Bytes to(const Key& key) { return key; }
  static Key from(BytesView bytes) { return Key(bytes); }
};
template <typename Tag>
struct KeyBytes<Id<Tag>> {
  static Bytes to(const Id<Tag>& key) { return Bytes(key.view()); }
  static Id<Tag> from(BytesView bytes) { return Id<Tag>::derived(bytes); }
};

// Ordered by key, so that every iteration is the same everywhere. Row is a described struct
// (codec/reflect.h). Stored as letter + key bytes -> JSON. Not thread-safe.
template <typename Key, typename Row>
class Table {
 public:
  explicit Table(char letter) : letter_(letter) {}

  const Row* find(const Key& key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }
  // The row to change, created if absent; it counts as changed.
  Row& change(const Key& key) {
    changed_.insert(key);
    return rows_[key];
  }
  void erase(const Key& key) {
    if (rows_.erase(key) > 0) changed_.insert(key);
  }
  const std::map<Key, Row>& rows() const { return rows_; }
  std::size_t size() const { return rows_.size(); }
  char letter() const { return letter_; }

  // Calls put(key, value) or remove(key) for every row changed since the last call.
  template <typename Put, typename Remove>
  void drain(Put&& put, Remove&& remove) {
    for (const Key& key : changed_) {
      Bytes stored(1, letter_);
      stored += KeyBytes<Key>::to(key);
      if (const Row* row = find(key)) {
        put(std::move(stored), to_text(*row));
      } else {
        remove(std::move(stored));
      }
    }
    changed_.clear();
  }
  // A stored row (key without the letter) back into memory, not counted as changed.
  Status load(BytesView key, BytesView value) {
    ST_ASSIGN(Row row, from_text<Row>(value));
    if (reflect::is_id<Key> && key.size() != sizeof(IdBytes)) {
      return Error{ErrorCode::corrupt, "the key of a stored row has the wrong length", ""};
    }
    rows_[KeyBytes<Key>::from(key)] = std::move(row);
    return {};
  }

 private:
  char letter_;
  std::map<Key, Row> rows_;
  std::set<Key> changed_;
};

}  // namespace sandtrail
