// SPDX-License-Identifier: Apache-2.0
#include "log_fold.h"

#include "base/limits.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail::cli {

PartitionFolder::PartitionFolder(EventLog& log, TopicPartition where)
    : log_(log), where_(std::move(where)), core_(*topic_kind(where_.topic)) {}

Result<std::unique_ptr<PartitionFolder>> PartitionFolder::open(EventLog& log,
                                                               const TopicPartition& where) {
  if (!topic_kind(where.topic)) {
    return Error{ErrorCode::invalid_argument, "there is no topic " + where.topic,
                 "the topics are events, platform and audit"};
  }
  ST_ASSIGN(const Marks marks, log.marks(where));
  std::unique_ptr<PartitionFolder> out(new PartitionFolder(log, where));
  out->limit_ = marks.high;
  out->from_beginning_ = marks.low == Position{0};
  ST_ASSIGN(out->reader_, log.open_reader(where, marks.low));
  return out;
}

Status PartitionFolder::extend() {
  ST_ASSIGN(const Marks marks, log_.marks(where_));
  limit_ = std::max(limit_, marks.high);
  return {};
}

Result<const JudgedRecord*> PartitionFolder::next() {
  if (waiting_.empty()) {
    ST_ASSIGN(ReadBatch batch, reader_->poll(limits::kReadBatchBytesMax));
    for (StoredRecord& stored : batch.records) waiting_.push_back(std::move(stored));
  }
  if (waiting_.empty() || waiting_.front().position >= limit_) {
    return static_cast<const JudgedRecord*>(nullptr);
  }
  stored_ = std::move(waiting_.front());
  waiting_.pop_front();
  event_ = decode_event(stored_.record);
  FoldInput input;
  input.position = stored_.position.value;
  input.stamp = stored_.stamp;
  input.event = std::get_if<Event>(&event_);
  if (input.event == nullptr) input.unreadable = std::get<VoidReason>(event_);
  input.value = stored_.record.value;
  judgement_ = core_.fold(input);
  if (judgement_.stop) {
    return Error{ErrorCode::conflict,
                 where_.text() + " activates rules at " + std::to_string(stored_.position.value) +
                     " that this version does not know",
                 "use a newer version"};
  }
  // Only changes are kept for a store, and there is none.
  core_.drain([](const Bytes&, const Bytes&) {}, [](const Bytes&) {});
  shown_.emplace(JudgedRecord{stored_, input.event, judgement_});
  return &*shown_;
}

Result<std::vector<TopicPartition>> partitions_of(EventLog& log, const std::string& topic) {
  std::vector<TopicPartition> out;
  for (std::int32_t i = 0; i < log.partitions(topic); ++i) out.push_back({topic, i});
  if (!out.empty()) return out;
  // A log on servers may have it, and not say so: away, or not for this user.
  const auto marks = log.marks({topic, 0});
  const bool away =
      !marks.ok() && (marks.error().retryable() || marks.error().code == ErrorCode::denied);
  if (away) return marks.error();
  return Error{ErrorCode::conflict, "the log has no topic " + topic,
               "the topics are events, platform and audit"};
}

Result<std::vector<TopicPartition>> audited_partitions(EventLog& log) {
  ST_ASSIGN(auto out, partitions_of(log, kEventsTopic));
  ST_ASSIGN(const auto platform, partitions_of(log, kPlatformTopic));
  out.insert(out.end(), platform.begin(), platform.end());
  return out;
}

}  // namespace sandtrail::cli
