// SPDX-License-Identifier: Apache-2.0
#include "event_log/checks.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail {
namespace {

bool is_name(std::string_view name, std::size_t bytes_max) {
  if (name.empty() || name.size() > bytes_max || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

Status check_topic(const TopicSpec& spec) {
  if (!is_name(spec.name, limits::kTopicNameBytesMax)) {
    return Error{ErrorCode::invalid_argument, "not a topic name",
                 "start with a-z, go on with a-z, 0-9, '.', '_' or '-'"};
  }
  if (spec.partitions < 1 || spec.partitions > limits::kPartitionsMax) {
    return Error{ErrorCode::invalid_argument,
                 "a topic has 1 to " + std::to_string(limits::kPartitionsMax) + " partitions", ""};
  }
  return {};
}

Status check_same_partitions(const TopicSpec& spec, std::int32_t existing) {
  if (spec.partitions == existing) return {};
  return Error{ErrorCode::conflict,
               "topic " + spec.name + " has " + std::to_string(existing) + " partitions, not " +
                   std::to_string(spec.partitions),
               "the partition count is fixed when a log is created"};
}

Status check_group(std::string_view group) {
  if (is_name(group, limits::kGroupNameBytesMax)) return {};
  return Error{ErrorCode::invalid_argument, "not a consumer group name",
               "start with a-z, go on with a-z, 0-9, '.', '_' or '-'"};
}

Error no_such_partition(const TopicPartition& where) {
  return {ErrorCode::not_found, "there is no " + where.text(), "ensure the topic first"};
}

Error trimmed_error(const TopicPartition& where, Position wanted, Position low) {
  return {ErrorCode::not_found,
          where.text() + " was trimmed up to " + std::to_string(low.value) + ", past " +
              std::to_string(wanted.value),
          "start from a snapshot"};
}

Error beyond_tail_error(const TopicPartition& where, Position wanted, Position high) {
  return {ErrorCode::conflict,
          where.text() + " ends at " + std::to_string(high.value) + ", before " +
              std::to_string(wanted.value) + ": acknowledged records are gone",
          "restore the log from a backup; sandtrail log accept-loss goes on without them, if it is "
          "an embedded one"};
}

LogHealth HealthWatch::seen(LogHealth now, UnixMs time) {
  const std::lock_guard lock(mutex_);
  if (now.level != level_) since_ = time;
  level_ = now.level;
  if (now.level != LogHealth::Level::ok) now.since = since_;
  return now;
}

Error closed_error() {
  return {ErrorCode::cancelled, "the log is closed", ""};
}

}  // namespace sandtrail
