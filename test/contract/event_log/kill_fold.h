// SPDX-License-Identifier: Apache-2.0
// The projection that append_until_killed keeps and embedded_kill_test.cc computes again: of the
// records of one partition a running sum for each of some rows, and the position behind the last.
#pragma once

#include <string>

#include "event_log/crc32c.h"
#include "event_log/record.h"
#include "store/kv_store.h"

namespace sandtrail::contract {

inline constexpr const char* kPositionRow = "position";
inline constexpr std::int64_t kFoldRows = 16;

inline std::string fold_row(const StoredRecord& record) {
  return "row" + std::to_string(record.position.value % kFoldRows);
}

// The row's next value.
inline Bytes fold_value(const Bytes& row, const StoredRecord& record) {
  Bytes out;
  put_be32(out, crc32c(row + record.record.value + std::string(*record.record.header("number"))));
  // Not only the newest: so that compaction has something to do.
  return out + Bytes(static_cast<std::size_t>(record.position.value % 900), '.');
}

// What the appender was doing when it was killed: bytes of DIRECTORY/doing that are not 0.
enum Doing { appending, committing, trimming, compacting, closing, opening, doing_count };
inline constexpr const char* kDoingNames[doing_count] = {"append",     "projection commit", "trim",
                                                         "compaction", "shutdown",          "open"};

}  // namespace sandtrail::contract
