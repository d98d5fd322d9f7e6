// SPDX-License-Identifier: Apache-2.0
// How the fold of a partition stands in a store. Keys:
//
//   topic NUL partition (4 bytes, big endian) letter …
//     M                     what the rows are a fold of: FoldMeta
//     C row key             the core
//     P name NUL row key    a projection
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/reflect.h"
#include "event_log/event_log.h"
#include "runtime/runtime.h"

namespace sandtrail {

// The row beside the rows: what the store is a fold of.
struct FoldMeta {
  std::string log_identity;
  std::int64_t fold_version = kFoldVersion;
  std::vector<std::string> projections;  // by name
  std::int64_t next = 0;
  Blob digest;
  Blob last;  // SHA-256 of the record before `next`
  std::int64_t void_records = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("log_identity", s.log_identity);
    v("fold_version", s.fold_version);
    v("projections", s.projections);
    v("next", s.next);
    v("digest", s.digest);
    v.with_default("last", s.last);
    v.with_default("void_records", s.void_records);
  }
};

Bytes partition_prefix(const TopicPartition& where);
Bytes meta_key(const TopicPartition& where);
Bytes core_prefix(const TopicPartition& where);
Bytes projection_prefix(const TopicPartition& where, std::string_view name);

}  // namespace sandtrail
