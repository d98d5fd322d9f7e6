// SPDX-License-Identifier: Apache-2.0
// The head mark: what an embedded log is known to hold, kept apart from the records and at most
// limits::kHeadMarkAgeMax old. RocksDB opens without a word when its write-ahead log is gone; the
// head mark is how that is noticed.
//
// A text file, written as a whole. One item a line, fields separated by one space, in this order:
//
//   sandtrail-head 1
//   identity 0123456789abcdef0123456789abcdef
//   boots 7                                        opened for writing so often
//   mark events 0 1234 89abcdef01234567            topic, partition, tail, running hash before it
//   report billing events 0 1200                   group, topic, partition, durable position
//   checksum 1a2b3c4d                              CRC-32C of all lines above
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "event_log/record.h"

namespace sandtrail {

struct HeadMark {
  struct Mark {
    TopicPartition where;
    Position tail;
    std::uint64_t running = 0;
    bool operator==(const Mark&) const = default;
  };
  struct Report {
    std::string group;
    TopicPartition where;
    Position durable;
    bool operator==(const Report&) const = default;
  };
  std::string identity;
  std::uint64_t boots = 0;
  std::vector<Mark> marks;
  std::vector<Report> reports;
  bool operator==(const HeadMark&) const = default;
};

Bytes encode_head_mark(const HeadMark& head);

// Strict: anything but what encode_head_mark() writes is corrupt.
Result<HeadMark> decode_head_mark(BytesView text);

// The head mark of the log in `directory`. not_found if there is none.
Result<HeadMark> read_head_mark(const std::string& directory);

}  // namespace sandtrail
