// SPDX-License-Identifier: Apache-2.0
#include "scan.h"

#include <algorithm>

#include "base/limits.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "layout.h"
#include "rocks.h"

namespace sandtrail::embedded {
namespace {

Error missing_record(const TopicPartition& where, Position position) {
  return {ErrorCode::corrupt,
          "record " + where.text() + " at " + std::to_string(position.value) + " is missing",
          "restore the log from a backup"};
}

// RocksDB's own checksums come first; its message gets the place that the port promises.
Error unreadable_record(const TopicPartition& where, Position position,
                        const rocksdb::Status& status) {
  Error error = rocks_error(
      "cannot read record " + where.text() + " at " + std::to_string(position.value), status);
  return error;
}

}  // namespace

Status scan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const TopicPartition& where,
            Cursor& cursor, Position end,
            const std::function<bool(StoredRecord&& record, std::size_t bytes)>& visit) {
  const Bytes end_key = record_key(where.partition, end.value);
  const rocksdb::Slice upper_bound(end_key);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator(options, family));
  for (at->Seek(record_key(where.partition, cursor.next.value)); cursor.next < end; at->Next()) {
    if (!at->status().ok()) return unreadable_record(where, cursor.next, at->status());
    if (!at->Valid()) return missing_record(where, cursor.next);
    const auto position = position_of(at->key().ToStringView(), where.partition);
    if (position != cursor.next) return missing_record(where, cursor.next);
    const std::size_t bytes = at->value().size();
    auto decoded = decode_record(where, cursor.next, at->value().ToStringView());
    if (!decoded.ok()) return decoded.error();
    if (cursor.running && *cursor.running != decoded->previous) {
      return Error{ErrorCode::corrupt,
                   "record " + where.text() + " at " + std::to_string(cursor.next.value) +
                       " does not follow the one before it",
                   "restore the log from a backup"};
    }
    if (!visit(std::move(decoded->stored), bytes)) return {};
    cursor.running = decoded->running;
    cursor.next = cursor.next.next();
  }
  return {};
}

Result<ReadBatch> read_batch(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                             const TopicPartition& where, Cursor& cursor, const Marks& marks,
                             std::size_t bytes_max) {
  if (cursor.next < marks.low) return trimmed_error(where, cursor.next, marks.low);
  if (cursor.next > marks.high) return beyond_tail_error(where, cursor.next, marks.high);
  ReadBatch batch{{}, cursor.next, marks};
  if (cursor.next == marks.high) return batch;
  bytes_max = std::min(bytes_max, limits::kReadBatchBytesMax);
  std::size_t total = 0;
  const Status status =
      scan(db, family, where, cursor, marks.high, [&](StoredRecord&& record, std::size_t bytes) {
        if (!batch.records.empty() && total + bytes > bytes_max) {
          return false;
        }
        total += bytes;
        batch.records.push_back(std::move(record));
        return true;
      });
  // What is intact before the damage is handed out first; the next poll meets the damage.
  if (!status.ok() && batch.records.empty()) return status.error();
  batch.next = cursor.next;
  return batch;
}

}  // namespace sandtrail::embedded
