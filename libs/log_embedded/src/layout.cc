// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include "base/limits.h"

namespace sandtrail::embedded {

Bytes record_key(std::int32_t partition, std::int64_t position) {
  Bytes key;
  put_be32(key, static_cast<std::uint32_t>(partition));
  put_be64(key, static_cast<std::uint64_t>(position));
  return key;
}

std::optional<Position> position_of(BytesView key, std::int32_t partition) {
  if (key.size() != 12 || get_be32(key) != static_cast<std::uint32_t>(partition)) {
    return std::nullopt;
  }
  return Position{static_cast<std::int64_t>(get_be64(key.substr(4)))};
}

Bytes topic_key(const std::string& topic) {
  return kTopicPrefix + topic;
}

Bytes topic_value(std::int32_t partitions) {
  Bytes value;
  put_be32(value, static_cast<std::uint32_t>(partitions));
  return value;
}

std::optional<std::int32_t> partitions_of(BytesView topic_value) {
  if (topic_value.size() != 4) return std::nullopt;
  const std::uint32_t count = get_be32(topic_value);
  if (count < 1 || count > limits::kPartitionsMax) return std::nullopt;
  return static_cast<std::int32_t>(count);
}

Bytes low_key(const TopicPartition& where) {
  Bytes key = "low/" + where.topic + "/";
  put_be32(key, static_cast<std::uint32_t>(where.partition));
  return key;
}

Bytes low_value(const LowMark& mark) {
  Bytes value;
  put_be64(value, static_cast<std::uint64_t>(mark.low.value));
  put_be64(value, static_cast<std::uint64_t>(mark.stamp.count));
  put_be64(value, mark.running);
  return value;
}

std::optional<LowMark> low_mark_of(BytesView low_value) {
  if (low_value.size() != 24) return std::nullopt;
  return LowMark{{static_cast<std::int64_t>(get_be64(low_value))},
                 {static_cast<std::int64_t>(get_be64(low_value.substr(8)))},
                 get_be64(low_value.substr(16))};
}

}  // namespace sandtrail::embedded
