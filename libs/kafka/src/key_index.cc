// SPDX-License-Identifier: Apache-2.0
#include "key_index.h"

#include "codec/blob.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "codec/text.h"
#include "obs/log.h"

namespace sandtrail::kafka {
namespace {

struct KeyRecord {
  OrgId org;
  UnixMs created;
  Blob wrapped;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("org", s.org);
    v("created", s.created);
    v("wrapped", s.wrapped);
  }
};

BytesView view_of(const void* data, std::size_t size) {
  return data == nullptr ? BytesView() : BytesView(static_cast<const char*>(data), size);
}

}  // namespace

Bytes key_record_value(const WrappedKey& key) {
  KeyRecord record;
  record.org = key.org;
  record.created = key.created;
  record.wrapped.bytes = key.wrapped;
  return to_text(record);
}

std::optional<WrappedKey> parse_key_record(BytesView id, BytesView value) {
  WrappedKey key;
  const auto parsed_id = DataKeyId::parse(id);
  if (!parsed_id) return std::nullopt;
  key.id = *parsed_id;
  auto record = from_text<KeyRecord>(value);
  if (!record.ok()) return std::nullopt;
  key.org = record->org;
  key.created = record->created;
  key.wrapped = std::move(record->wrapped.bytes);
  if (!check_wrapped_key(key).ok()) return std::nullopt;
  return key;
}

std::optional<DataKeyId> KeyIndex::fold(const rd_kafka_message_t& message) {
  const BytesView id = view_of(message.key, message.key_len);
  if (id == kTickKey) return std::nullopt;
  if (message.payload == nullptr) {
    const auto destroyed = DataKeyId::parse(id);
    if (destroyed && keys_.erase(*destroyed) > 0) return destroyed;
    return std::nullopt;
  }
  auto key = parse_key_record(id, view_of(message.payload, message.len));
  if (key) {
    const DataKeyId at = key->id;
    keys_.insert_or_assign(at, std::move(*key));
  } else {
    log_warn("a record among the keys is none of ours", {{"position", message.offset}});
  }
  return std::nullopt;
}

std::vector<WrappedKey> KeyIndex::all() const {
  std::vector<WrappedKey> out;
  out.reserve(keys_.size());
  for (const auto& [id, key] : keys_) out.push_back(key);
  return out;
}

}  // namespace sandtrail::kafka
