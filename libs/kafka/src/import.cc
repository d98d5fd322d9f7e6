// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <map>
#include <mutex>

#include "admin.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "kafka/kafka_import.h"
#include "kafka/kafka_log.h"
#include "partition.h"
#include "producer.h"

namespace sandtrail {
namespace kafka {
namespace {

constexpr Millis kLinger{5};
constexpr std::size_t kInFlightRecordsMax = limits::kAppendQueueRecordsMax / 4;
constexpr std::size_t kInFlightBytesMax = limits::kAppendQueueBytesMax / 4;

// What was handed to the producer and is not answered yet.
class InFlight {
 public:
  void add(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ++records_;
    bytes_ += bytes;
  }
  void answered(const TopicPartition& where, Position expected, const AppendOutcome& outcome,
                std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    --records_;
    bytes_ -= bytes;
    if (failed_.ok() && !outcome.committed()) failed_ = outcome.error;
    if (failed_.ok() && outcome.position != expected) {
      failed_ = Error{ErrorCode::conflict,
                      where.text() + ": the record of position " + std::to_string(expected.value) +
                          " was given " + std::to_string(outcome.position.value),
                      "somebody else writes to the topic: delete the topics and begin again"};
    }
    changed_.notify_all();
  }
  // Until there is room for more, or (`all`) nothing is left; then what failed, if anything.
  Status wait(bool all) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return records_ == 0 ||
             (!all && records_ < kInFlightRecordsMax && bytes_ < kInFlightBytesMax);
    });
    return failed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t records_ = 0;
  std::size_t bytes_ = 0;
  Status failed_;
};

class KafkaImport final : public LogImport {
 public:
  KafkaImport(const KafkaConnection& connection, const Clock& clock,
              std::unique_ptr<EventLog> reading)
      : connection_(connection),
        admin_(connection),
        refusals_(clock),
        producer_(connection, limits::kKafkaAppendTimeout, kLinger, refusals_, [] {}),
        reading_(std::move(reading)) {}
  ~KafkaImport() override { producer_.close({0}); }

  Status start() {
    ST_CHECK_OK(admin_.start());
    return producer_.start();
  }

  Status ensure_topic(const TopicSpec& spec) override;
  Status begin(const TopicPartition& where, Position low) override;
  Result<Position> next(const TopicPartition& where) override;
  Status append(const TopicPartition& where, const std::vector<StoredRecord>& records) override;
  Status flush() override { return in_flight_.wait(true); }
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override {
    ST_CHECK_OK(flush());
    return reading_->open_reader(where, from);
  }
  Status finish() override;

 private:
  struct Topic {
    std::string name;       // with the prefix
    bool finished = false;  // the broker gives the stamps: it is part of a log
  };
  Topic* find(const std::string& name);
  Status open_topic(const TopicSpec& spec, Topic& topic);
  bool is_empty(const TopicSpec& spec, Status& status);

  const KafkaConnection connection_;
  Admin admin_;
  Refusals refusals_;
  InFlight in_flight_;  // before the producer, which answers until it is gone
  Producer producer_;
  const std::unique_ptr<EventLog> reading_;
  std::vector<std::pair<std::string, Topic>> topics_;  // in the order they were asked for
  std::map<TopicPartition, std::shared_ptr<Partition>> partitions_;
};

KafkaImport::Topic* KafkaImport::find(const std::string& name) {
  for (auto& [known, topic] : topics_) {
    if (known == name) return &topic;
  }
  return nullptr;
}

bool KafkaImport::is_empty(const TopicSpec& spec, Status& status) {
  for (std::int32_t i = 0; i < spec.partitions; ++i) {
    const auto marks = admin_.marks(connection_.topic_prefix + spec.name, i);
    if (!marks.ok()) status = marks.error();
    if (!marks.ok() || marks->high.value > 0) return false;
  }
  return true;
}

Status KafkaImport::open_topic(const TopicSpec& spec, Topic& topic) {
  ST_ASSIGN(const std::int32_t there, admin_.partitions(topic.name));
  TopicDemand demand{topic.name, spec.partitions, log_topic_config(connection_)};
  if (there == 0) {
    demand.config[kStampSetting] = kStampedByWriter;
    return admin_.ensure_topic(demand);
  }
  if (there != spec.partitions) return check_same_partitions(spec, there);
  ST_ASSIGN(const TopicConfig config, admin_.config_of(topic.name, false));
  const auto stamped = config.find(kStampSetting);
  if (stamped == config.end() || stamped->second != kStampedByWriter) {
    // Of a log, of a copy that is being finished, or made in advance.
    ST_CHECK_OK(admin_.ensure_topic(demand));
    Status status;
    topic.finished = !is_empty(spec, status);
    ST_CHECK_OK(status);
    if (topic.finished) return {};
    ST_CHECK_OK(admin_.change_config(topic.name, {{kStampSetting, kStampedByWriter}}));
  }
  demand.config[kStampSetting] = kStampedByWriter;
  return admin_.ensure_topic(demand);
}

Status KafkaImport::ensure_topic(const TopicSpec& spec) {
  ST_CHECK_OK(check_topic(spec));
  if (find(spec.name) != nullptr) return {};
  Topic topic{connection_.topic_prefix + spec.name};
  ST_CHECK_OK(open_topic(spec, topic));
  producer_.warm_up(topic.name);
  for (std::int32_t i = 0; i < spec.partitions; ++i) {
    const TopicPartition where{spec.name, i};
    partitions_[where] = std::make_shared<Partition>(where, topic.name);
  }
  topics_.emplace_back(spec.name, std::move(topic));
  return {};
}

Status KafkaImport::begin(const TopicPartition& where, Position low) {
  if (!partitions_.contains(where)) return no_such_partition(where);
  ST_ASSIGN(const Marks marks, admin_.marks(partitions_[where]->topic, where.partition));
  if (low.value == 0 && marks.low.value == 0) return {};
  return Error{ErrorCode::conflict,
               where.text() + " begins at " + std::to_string(low.value) + " in the source and at " +
                   std::to_string(marks.low.value) + " in the target; both must begin at 0",
               "a log that was trimmed cannot move to Kafka, whose positions begin at 0"};
}

Result<Position> KafkaImport::next(const TopicPartition& where) {
  if (!partitions_.contains(where)) return no_such_partition(where);
  ST_CHECK_OK(flush());
  ST_ASSIGN(const Marks marks, admin_.marks(partitions_[where]->topic, where.partition));
  return marks.high;
}

Status KafkaImport::append(const TopicPartition& where, const std::vector<StoredRecord>& records) {
  const auto partition = partitions_.find(where);
  const Topic* topic = find(where.topic);
  if (partition == partitions_.end() || topic == nullptr) return no_such_partition(where);
  if (topic->finished) {
    return Error{ErrorCode::conflict, "topic " + topic->name + " is part of a log already",
                 "copy into topics that do not exist yet, or are empty: another log.topic_prefix"};
  }
  for (const StoredRecord& stored : records) {
    ST_CHECK_OK(check_record(stored.record));
    if (stored.stamp.count <= 0) {
      return Error{ErrorCode::invalid_argument, "Kafka keeps no stamps before 1970", ""};
    }
    ST_CHECK_OK(in_flight_.wait(false));
    Outgoing outgoing;
    outgoing.to = partition->second;
    outgoing.key = stored.record.key;
    outgoing.headers = &stored.record.headers;
    outgoing.value = stored.record.value;
    outgoing.stamp = stored.stamp;
    const std::size_t bytes = stored.record.size();
    in_flight_.add(bytes);
    auto refused = producer_.append(
        outgoing, [this, where, expected = stored.position, bytes](const AppendOutcome& outcome) {
          in_flight_.answered(where, expected, outcome, bytes);
        });
    if (!refused) continue;
    AppendOutcome outcome;
    outcome.error = *refused;
    in_flight_.answered(where, stored.position, outcome, bytes);
    return *refused;
  }
  return {};
}

Status KafkaImport::finish() {
  ST_CHECK_OK(flush());
  for (auto at = topics_.rbegin(); at != topics_.rend(); ++at) {
    Topic& topic = at->second;
    if (topic.finished) continue;
    ST_CHECK_OK(admin_.change_config(topic.name, {{kStampSetting, kStampedByBroker}}));
    topic.finished = true;
  }
  return {};
}

}  // namespace
}  // namespace kafka

Result<std::unique_ptr<LogImport>> open_kafka_import(const KafkaConnection& connection,
                                                     const Clock& clock) {
  KafkaLogOptions options;
  options.connection = connection;
  options.read_only = true;
  ST_ASSIGN(auto reading, open_kafka_log(options, clock));
  auto out = std::make_unique<kafka::KafkaImport>(connection, clock, std::move(reading));
  ST_CHECK_OK(out->start());
  return std::unique_ptr<LogImport>(std::move(out));
}

}  // namespace sandtrail
