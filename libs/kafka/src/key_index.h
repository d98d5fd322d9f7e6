// SPDX-License-Identifier: Apache-2.0
// What the topic of keys says, as far as it is folded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "handles.h"
#include "store/key_store.h"

namespace sandtrail::kafka {

inline constexpr std::string_view kTickKey = "tick";

Bytes key_record_value(const WrappedKey& key);
// nullopt: no record of ours.
std::optional<WrappedKey> parse_key_record(BytesView id, BytesView value);

// Not thread-safe: under the store's lock.
class KeyIndex {
 public:
  // Folds one record; the id of the key it destroyed, if one was known.
  std::optional<DataKeyId> fold(const rd_kafka_message_t& message);
  // Begins again: nothing is known.
  void clear() { keys_.clear(); }

  const WrappedKey* find(const DataKeyId& id) const {
    const auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return keys_.size(); }
  std::vector<WrappedKey> all() const;

 private:
  struct Hash {
    std::size_t operator()(const DataKeyId& id) const {
      return std::hash<std::string_view>()(id.view());
    }
  };
  std::unordered_map<DataKeyId, WrappedKey, Hash> keys_;
};

}  // namespace sandtrail::kafka
