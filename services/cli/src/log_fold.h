// SPDX-License-Identifier: Apache-2.0
// One partition of the log, record by record, with the verdict of the core fold on each. Reads
// only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "domain/core.h"
#include "event_log/event_log.h"

namespace sandtrail::cli {

// Valid until the next call of next().
struct JudgedRecord {
  const StoredRecord& stored;
  const Event* event;  // null if the record holds none
  const Judgement& judgement;
};

// Not thread-safe.
class PartitionFolder {
 public:
  // From the oldest record on, to the tail as it is now.
  static Result<std::unique_ptr<PartitionFolder>> open(EventLog& log, const TopicPartition& where);

  // The next record below limit(); null at the limit. A record that activates rules this version
  // does not know is an error.
  Result<const JudgedRecord*> next();
  // Moves the limit to the tail as it is now.
  Status extend();
  Position limit() const { return limit_; }

  // False if the beginning was trimmed: verdicts would be those of another history.
  bool from_beginning() const { return from_beginning_; }
  const TopicPartition& where() const { return where_; }
  const CoreState& state() const { return core_.state(); }

 private:
  PartitionFolder(EventLog& log, TopicPartition where);

  EventLog& log_;
  const TopicPartition where_;
  Core core_;
  std::unique_ptr<LogReader> reader_;
  bool from_beginning_ = true;
  Position limit_;
  std::deque<StoredRecord> waiting_;
  // The current record.
  StoredRecord stored_;
  std::variant<Event, VoidReason> event_;
  Judgement judgement_;
  std::optional<JudgedRecord> shown_;
};

// The partitions of a topic, or conflict if the log has none of that name.
Result<std::vector<TopicPartition>> partitions_of(EventLog& log, const std::string& topic);
// Of `events` and `platform`: what the audit log is about.
Result<std::vector<TopicPartition>> audited_partitions(EventLog& log);

}  // namespace sandtrail::cli
