// SPDX-License-Identifier: Apache-2.0
// What the log holds: one record is one event. The shapes are Kafka's, so that every adapter can
// store them unchanged.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace sandtrail {

// A partition of a topic. Topic names are without the configured prefix.
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
  std::string text() const { return topic + "/" + std::to_string(partition); }
};

// Where a record stands in its partition: strictly increasing, gaps allowed (Kafka's transaction
// markers and compaction leave some). Never compare positions of different partitions.
struct Position {
  std::int64_t value = 0;
  auto operator<=>(const Position&) const = default;
  Position next() const { return {value + 1}; }
};

using Headers = std::vector<std::pair<std::string, Bytes>>;

struct Record {
  Bytes key;        // the organisation's id text; empty where a record belongs to none
  Headers headers;  // CloudEvents attributes in Kafka binary mode; order is kept
  Bytes value;      // the event's JSON data

  // Bytes that count against limits::kRecordBytesMax.
  std::size_t size() const {
    std::size_t total = key.size() + value.size();
    for (const auto& [name, content] : headers) total += name.size() + content.size();
    return total;
  }
  // The first header of that name.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key_name, content] : headers) {
      if (key_name == name) return content;
    }
    return std::nullopt;
  }
  bool operator==(const Record&) const = default;
};

// A record as read back: its position and the stamp it was given at append.
struct StoredRecord {
  Position position;
  UnixMs stamp;
  Record record;
};

}  // namespace sandtrail
