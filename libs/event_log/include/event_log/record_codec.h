// SPDX-License-Identifier: Apache-2.0
// The stored bytes of a record, for adapters that keep records themselves.
//
// Version 1; integers are big-endian, `n:4` is an integer of 4 bytes:
//
//   stored   = version:1 checksum:4 stamp:8 previous:8 body
//   body     = text(key) count:4 header* text(value)
//   header   = text(name) text(content)
//   text(x)  = length:4 x
//   checksum = CRC-32C of version:1 text(topic) partition:4 body position:8 stamp:8 previous:8
//
// `previous` is the running hash of all records of the partition before this one. A record thus
// says what stood before it and where it belongs: bytes that are damaged, misplaced or taken from
// another history do not pass.
//
// What only the writer knows (position, stamp, previous) comes last in the checksum, so that the
// rest is encoded and summed on the appender's thread.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "event_log/record.h"

namespace sandtrail {

// A record encoded for one partition, without position, stamp and running hash.
struct EncodedRecord {
  Bytes bytes;
  std::uint32_t checksum = 0;  // up to the end of the body
};

// invalid_argument if the record is over limits::kRecordBytesMax or kRecordHeadersMax.
Status check_record(const Record& record);

// Fails as check_record() does.
Result<EncodedRecord> encode_record(const TopicPartition& where, const Record& record);

// Completes `encoded.bytes`; returns the running hash after this record:
// FNV-1a-64 of (previous:8 checksum:4). An empty partition has the running hash 0.
std::uint64_t seal_record(EncodedRecord& encoded, Position position, UnixMs stamp,
                          std::uint64_t previous);

struct DecodedRecord {
  StoredRecord stored;
  std::uint64_t previous = 0;  // running hash before it
  std::uint64_t running = 0;   // and after it
};

// Fails with corrupt, naming topic, partition and position.
Result<DecodedRecord> decode_record(const TopicPartition& where, Position position,
                                    BytesView bytes);

}  // namespace sandtrail
