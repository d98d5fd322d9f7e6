// SPDX-License-Identifier: Apache-2.0
#include "fold_rows.h"

#include "codec/text.h"

namespace sandtrail {
namespace {

Bytes section(const TopicPartition& where, char letter) {
  return partition_prefix(where) + letter;
}

}  // namespace

Bytes partition_prefix(const TopicPartition& where) {
  Bytes key = where.topic;
  key += '\0';
  put_be32(key, static_cast<std::uint32_t>(where.partition));
  return key;
}

Bytes meta_key(const TopicPartition& where) {
  return section(where, 'M');
}

Bytes core_prefix(const TopicPartition& where) {
  return section(where, 'C');
}

Bytes projection_prefix(const TopicPartition& where, std::string_view name) {
  return section(where, 'P') + Bytes(name) + '\0';
}

Result<std::optional<StoredFold>> stored_fold(const KvStore& store, const TopicPartition& where) {
  ST_ASSIGN(const auto stored, store.get(meta_key(where)));
  if (!stored) return std::optional<StoredFold>();
  ST_ASSIGN(FoldMeta found, from_text<FoldMeta>(*stored));
  return std::optional(StoredFold{std::move(found.log_identity), {found.next}});
}

}  // namespace sandtrail
