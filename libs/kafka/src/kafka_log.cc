// SPDX-License-Identifier: Apache-2.0
#include "kafka/kafka_log.h"

#include <mutex>

#include "admin.h"
#include "crypto/digest.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "fetcher.h"
#include "group.h"
#include "keeper.h"
#include "obs/log.h"
#include "partition.h"
#include "positions.h"
#include "producer.h"
#include "reader.h"

namespace sandtrail {
namespace kafka {
namespace {

constexpr std::size_t kIdentityBytes = 16;
constexpr int kTailDoubtsMax = 10;  // each Admin::pause() apart

// Called while librdkafka holds the queue: wakes, nothing else.
void on_arrival(rd_kafka_t*, void* partition) {
  static_cast<Partition*>(partition)->wakes->wake_all();
}

// A tool reads few partitions at once, each as fast as it can.
std::size_t prefetch_bytes(const KafkaLogOptions& options) {
  return limits::kKafkaPrefetchBytesMax * (options.read_only ? 8 : 1);
}

// Keeps the partition for as long as its queue may call on_arrival().
class HeldReader final : public LogReader {
 public:
  HeldReader(std::shared_ptr<Partition> partition, std::unique_ptr<Reader> reader)
      : partition_(std::move(partition)), reader_(std::move(reader)) {}
  Result<ReadBatch> poll(std::size_t bytes_max) override { return reader_->poll(bytes_max); }

 private:
  const std::shared_ptr<Partition> partition_;
  const std::unique_ptr<Reader> reader_;
};

class KafkaLog final : public EventLog {
 public:
  KafkaLog(const KafkaLogOptions& options, const Clock& clock)
      : options_(options),
        admin_(std::make_shared<Admin>(options.connection)),
        state_(std::make_shared<LogState>(clock)),
        producer_(options.connection, options.append_timeout, options.linger, state_->refusals,
                  [this] { keeper_.nudge(); }),
        fetcher_(std::make_shared<Fetcher>(options.connection, prefetch_bytes(options))),
        positions_(admin_, options.connection.topic_prefix),
        keeper_(*admin_, producer_, *state_, clock, [this] {
          flush_positions();
          return check_next_topic();
        }) {}
  ~KafkaLog() override { close({0}); }

  Status start() {
    ST_CHECK_OK(admin_->start());
    producer_.on_batch(options_.on_batch);
    if (!options_.read_only) ST_CHECK_OK(producer_.start());
    keeper_.start();
    return {};
  }

  Status ensure_topic(const TopicSpec& spec) override {
    ST_CHECK_OK(check_topic(spec));
    if (options_.read_only) {
      ST_ASSIGN(const std::int32_t count, known_partitions(spec.name));
      return count == 0 ? Status(no_such_partition({spec.name, 0}))
                        : check_same_partitions(spec, count);
    }
    ST_CHECK_OK(admin_->ensure_topic({options_.connection.topic_prefix + spec.name, spec.partitions,
                                      log_topic_config(options_.connection)}));
    remember(spec.name, spec.partitions);
    return {};
  }

  std::int32_t partitions(const std::string& topic) const override {
    const auto known = known_partitions(topic);
    return known.ok() ? *known : 0;
  }

  void append(const TopicPartition& where, Record record, AppendDone done) override {
    const auto refuse = [&done](Error error) {
      AppendOutcome outcome;
      outcome.kind = AppendOutcome::Kind::not_committed;
      outcome.error = std::move(error);
      done(outcome);
    };
    if (state_->closed) return refuse(closed_error());
    if (options_.read_only) {
      return refuse({ErrorCode::denied, "the log is open for reading only", ""});
    }
    if (const Status sound = check_record(record); !sound.ok()) return refuse(sound.error());
    auto partition = find(where);
    if (!partition.ok()) return refuse(partition.error());
    Outgoing outgoing;
    outgoing.to = std::move(*partition);
    outgoing.key = record.key;
    outgoing.headers = &record.headers;
    outgoing.value = record.value;
    auto refused = producer_.append(outgoing, std::move(done));
    if (refused) refuse(std::move(*refused));
  }

  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override {
    ST_ASSIGN(const Marks now, marks_from(where, from));
    if (from < now.low) return trimmed_error(where, from, now.low);
    if (from > now.high) return beyond_tail_error(where, from, now.high);
    ST_ASSIGN(auto partition, find(where));
    ST_ASSIGN(auto assignment, fetcher_->assign(partition->topic, where.partition, from.value,
                                                on_arrival, partition.get()));
    auto reader = std::make_unique<Reader>(admin_, state_, partition, std::move(assignment), from);
    return std::unique_ptr<LogReader>(new HeldReader(partition, std::move(reader)));
  }

  std::shared_ptr<void> subscribe(const TopicPartition& where,
                                  std::function<void()> wake) override {
    const auto partition = find(where);
    if (!partition.ok()) return nullptr;
    auto subscription = (*partition)->wakes->add(std::move(wake));
    // librdkafka tells when a queue is empty no more: what a reader has not taken by now was told
    // to nobody, and what follows it would not be told either.
    (*partition)->wakes->wake_all();
    return subscription;
  }

  Result<Marks> marks(const TopicPartition& where) override {
    if (state_->closed) return closed_error();
    ST_ASSIGN(const auto partition, find(where));
    ST_ASSIGN(const Marks found, admin_->marks(partition->topic, where.partition));
    partition->raise_low(found.low.value);
    partition->raise_high(found.high.value);
    // Not what a leader says that stood still and does not know yet that it was replaced.
    return partition->marks();
  }

  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override {
    ST_CHECK_OK(check_group(group));
    for (const std::string& topic : topics) {
      ST_ASSIGN(const std::int32_t count, known_partitions(topic));
      if (count == 0) return no_such_partition({topic, 0});
    }
    ST_ASSIGN(auto member, GroupMember::join(options_.connection, group, topics,
                                             options_.session_timeout, state_, listener));
    return std::unique_ptr<Ownership>(std::move(member));
  }

  void report(const std::string& group, const TopicPartition& where, Position durable) override {
    if (!check_group(group).ok() || !find(where).ok()) return;
    positions_.report(group, where, durable);
  }

  Result<ReportedPositions> reported() override { return positions_.all(); }

  Status trim(const TopicPartition& where, Position before) override {
    ST_ASSIGN(const Marks now, marks(where));
    if (before > now.high) {
      return Error{ErrorCode::invalid_argument, "cannot trim beyond the tail", ""};
    }
    if (before <= now.low) return {};
    ST_ASSIGN(const auto lowest, positions_.lowest(where));
    if (lowest && lowest->position < before) {
      return Error{ErrorCode::conflict,
                   "group " + lowest->group + " still needs " + where.text() + " from " +
                       std::to_string(lowest->position.value),
                   "trim only below what every consumer has reported"};
    }
    ST_ASSIGN(const auto partition, find(where));
    ST_CHECK_OK(admin_->delete_before(partition->topic, where.partition, before.value));
    partition->raise_low(before.value);
    return {};
  }

  std::string identity() const override {
    const std::string cluster = admin_->cluster_id(limits::kKafkaCallTimeout);
    if (cluster.empty()) return "";
    const Bytes digest = sha256_of({cluster, Bytes(1, '\0'), options_.connection.topic_prefix});
    return hex(BytesView(digest).substr(0, kIdentityBytes));
  }

  Result<TopicFacts> facts(const std::string& topic) override {
    TopicFacts out;
    ST_ASSIGN(out.settings, admin_->config_of(options_.connection.topic_prefix + topic, true));
    return out;
  }

  LogHealth health() const override { return keeper_.health(); }

  void close(Millis deadline) override {
    if (state_->closed.exchange(true)) return;
    producer_.close(deadline);
    keeper_.stop();
  }

 private:
  // The marks, asked for again for a moment if `from` is beyond them: whoever asks has been there.
  Result<Marks> marks_from(const TopicPartition& where, Position from) {
    for (int i = 1;; ++i) {
      ST_ASSIGN(const Marks found, marks(where));
      if (from <= found.high || i >= kTailDoubtsMax || state_->closed) return found;
      admin_->pause();
    }
  }

  Result<std::int32_t> known_partitions(const std::string& topic) const {
    {
      const std::lock_guard lock(mutex_);
      const auto known = topics_.find(topic);
      if (known != topics_.end()) return known->second;
    }
    if (!check_topic({topic, 1}).ok()) return 0;
    ST_ASSIGN(const std::int32_t count,
              admin_->partitions(options_.connection.topic_prefix + topic));
    if (count > 0) remember(topic, count);
    return count;
  }

  void remember(const std::string& topic, std::int32_t count) const {
    {
      const std::lock_guard lock(mutex_);
      if (!topics_.emplace(topic, count).second) return;
    }
    producer_.warm_up(options_.connection.topic_prefix + topic);
  }

  Result<std::shared_ptr<Partition>> find(const TopicPartition& where) const {
    {
      const std::lock_guard lock(mutex_);
      const auto known = partitions_.find(where);
      if (known != partitions_.end()) return known->second;
    }
    ST_ASSIGN(const std::int32_t count, known_partitions(where.topic));
    if (where.partition < 0 || where.partition >= count) return no_such_partition(where);
    const std::lock_guard lock(mutex_);
    auto& partition = partitions_[where];
    if (!partition) {
      partition =
          std::make_shared<Partition>(where, options_.connection.topic_prefix + where.topic);
    }
    return partition;
  }

  void flush_positions() {
    const Status sent = positions_.flush();
    const char* act = "report positions";
    if (sent.ok()) {
      state_->refusals.allow(act);
    } else if (sent.error().code == ErrorCode::denied) {
      state_->refusals.note(act, sent.error(), false);
    } else {
      log_debug("positions are not reported yet", {{"error", sent.error()}});
    }
  }

  // One of them each time: that the brokers still have it. A reader at its tail is not told.
  Status check_next_topic() {
    std::string name;
    {
      const std::lock_guard lock(mutex_);
      if (topics_.empty()) return {};
      auto next = topics_.upper_bound(checked_);
      // What is gone is asked for again until it is there.
      if (gone_) next = topics_.find(checked_);
      if (next == topics_.end()) next = topics_.begin();
      name = checked_ = next->first;
    }
    const Status there = admin_->still_there(options_.connection.topic_prefix + name);
    gone_ = !there.ok();
    return there;
  }

  const KafkaLogOptions options_;
  const std::shared_ptr<Admin> admin_;
  const std::shared_ptr<LogState> state_;
  mutable Producer producer_;
  const std::shared_ptr<Fetcher> fetcher_;
  Positions positions_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::int32_t> topics_;
  mutable std::map<TopicPartition, std::shared_ptr<Partition>> partitions_;
  std::string checked_;  // the newest topic asked for; of the keeper's thread, as gone_
  bool gone_ = false;
  Keeper keeper_;
};

}  // namespace
}  // namespace kafka

Result<std::unique_ptr<EventLog>> open_kafka_log(const KafkaLogOptions& options,
                                                 const Clock& clock) {
  auto log = std::make_unique<kafka::KafkaLog>(options, clock);
  ST_CHECK_OK(log->start());
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace sandtrail
