// SPDX-License-Identifier: Apache-2.0
// Reading records of one partition, with every check there is: no hole, each record whole and in
// its place, each one following the one before.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <optional>

#include "event_log/event_log.h"

namespace sandtrail::embedded {

// Where a scan stands. `running` is the hash of all records before `next`, if it is known.
struct Cursor {
  Position next;
  std::optional<std::uint64_t> running;
};

// Records [cursor.next, end) in order until `visit` returns false. The cursor stands after the last
// record visited, also on error; then the damage is at cursor.next.
Status scan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const TopicPartition& where,
            Cursor& cursor, Position end,
            const std::function<bool(StoredRecord&& record, std::size_t bytes)>& visit);

// One LogReader::poll(): `marks` are the partition's, read before.
Result<ReadBatch> read_batch(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                             const TopicPartition& where, Cursor& cursor, const Marks& marks,
                             std::size_t bytes_max);

}  // namespace sandtrail::embedded
