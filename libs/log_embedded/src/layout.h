// SPDX-License-Identifier: Apache-2.0
// The keys of the embedded log's RocksDB. Integers are big-endian, so that keys sort.
//
//   family "topic/" topic   partition:4 position:8         a stored record (record_codec.h)
//   family "default"        "identity"                     32 hex digits
//                           "topic/" topic                 partitions:4
//                           "low/" topic "/" partition:4   low:8 stamp:8 running:8; of a trimmed
//                                                          partition: its low mark, and the stamp
//                                                          and running hash of what stood before
#pragma once

#include <optional>
#include <string>

#include "event_log/record.h"

namespace sandtrail::embedded {

inline const std::string kIdentityKey = "identity";
inline const std::string kTopicPrefix = "topic/";

Bytes record_key(std::int32_t partition, std::int64_t position);
// nullopt if the key is not of that partition.
std::optional<Position> position_of(BytesView key, std::int32_t partition);

// Both the key in the default family and the name of the topic's own family.
Bytes topic_key(const std::string& topic);
Bytes topic_value(std::int32_t partitions);
std::optional<std::int32_t> partitions_of(BytesView topic_value);

struct LowMark {
  Position low;
  UnixMs stamp;
  std::uint64_t running = 0;
};
Bytes low_key(const TopicPartition& where);
Bytes low_value(const LowMark& mark);
std::optional<LowMark> low_mark_of(BytesView low_value);

}  // namespace sandtrail::embedded
