// SPDX-License-Identifier: Apache-2.0
#include "log_embedded/embedded_log.h"

#include <set>
#include <thread>

#include "core.h"
#include "event_log/checks.h"
#include "log_embedded/embedded_log_on_env.h"

namespace sandtrail {
namespace {

using embedded::LogCore;
using embedded::PartitionState;

constexpr Millis kDestructorDeadline = seconds(10);

class EmbeddedReader final : public LogReader {
 public:
  EmbeddedReader(std::shared_ptr<LogCore> core, const PartitionState& partition, Position from)
      : core_(std::move(core)), partition_(partition), cursor_{from, std::nullopt} {}
  Result<ReadBatch> poll(std::size_t bytes_max) override {
    return core_->read(partition_, cursor_, bytes_max);
  }

 private:
  const std::shared_ptr<LogCore> core_;
  const PartitionState& partition_;
  embedded::Cursor cursor_;
};

// Which groups have a member; two members of one group would both act.
struct Groups {
  std::mutex mutex;
  std::set<std::pair<std::string, std::string>> owned;  // group, topic
};

class EmbeddedOwnership final : public Ownership {
 public:
  EmbeddedOwnership(std::shared_ptr<Groups> groups, std::string group,
                    std::vector<TopicPartition> partitions, OwnershipListener& listener)
      : groups_(std::move(groups)),
        group_(std::move(group)),
        partitions_(std::move(partitions)),
        // A thread of its own, as with any other adapter: the caller of own() may hold locks that
        // the listener wants.
        thread_([this, &listener] {
          for (const TopicPartition& partition : partitions_) listener.on_assigned(partition);
        }) {}
  ~EmbeddedOwnership() override {
    thread_.join();
    const std::lock_guard lock(groups_->mutex);
    for (const TopicPartition& where : partitions_) groups_->owned.erase({group_, where.topic});
  }

 private:
  const std::shared_ptr<Groups> groups_;
  const std::string group_;
  const std::vector<TopicPartition> partitions_;
  std::thread thread_;  // last: uses the others
};

class EmbeddedLog final : public EventLog {
 public:
  explicit EmbeddedLog(std::shared_ptr<LogCore> core)
      : core_(std::move(core)), writer_([core = core_] { core->run_writer(); }) {}
  ~EmbeddedLog() override { close(kDestructorDeadline); }
  EmbeddedLog(const EmbeddedLog&) = delete;
  EmbeddedLog& operator=(const EmbeddedLog&) = delete;

  Status ensure_topic(const TopicSpec& spec) override { return core_->ensure_topic(spec); }
  std::int32_t partitions(const std::string& topic) const override {
    return core_->topics().partitions(topic);
  }
  void append(const TopicPartition& where, Record record, AppendDone done) override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override;
  std::shared_ptr<void> subscribe(const TopicPartition& where, std::function<void()> wake) override;
  Result<Marks> marks(const TopicPartition& where) override;
  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override;
  void report(const std::string& group, const TopicPartition& where, Position durable) override {
    core_->report(group, where, durable);
  }
  Result<ReportedPositions> reported() override { return core_->reported(); }
  Status trim(const TopicPartition& where, Position before) override;
  Result<TopicFacts> facts(const std::string& topic) override { return core_->facts(topic); }
  std::string identity() const override { return core_->identity(); }
  LogHealth health() const override { return core_->health(); }
  void close(Millis deadline) override;

 private:
  const std::shared_ptr<LogCore> core_;
  const std::shared_ptr<Groups> groups_ = std::make_shared<Groups>();
  std::mutex close_mutex_;
  std::thread writer_;
};

void EmbeddedLog::append(const TopicPartition& where, Record record, AppendDone done) {
  const auto refuse = [&done](Error error) {
    if (done) done({AppendOutcome::Kind::not_committed, {}, {}, std::move(error)});
  };
  PartitionState* partition = core_->topics().find(where);
  if (partition == nullptr) return refuse(no_such_partition(where));
  auto encoded = encode_record(where, record);
  if (!encoded.ok()) return refuse(encoded.error());
  embedded::QueuedAppend queued{partition, std::move(*encoded), std::move(done), {}, {}};
  const auto pushed = core_->queue().push(std::move(queued));
  if (pushed == embedded::AppendQueue::Push::accepted) return;
  done = std::move(queued.done);
  if (pushed == embedded::AppendQueue::Push::closed) return refuse(closed_error());
  refuse({ErrorCode::overloaded, "the append queue is full", "retry later"});
}

Result<std::unique_ptr<LogReader>> EmbeddedLog::open_reader(const TopicPartition& where,
                                                            Position from) {
  const PartitionState* partition = core_->topics().find(where);
  if (partition == nullptr) return no_such_partition(where);
  return std::unique_ptr<LogReader>(std::make_unique<EmbeddedReader>(core_, *partition, from));
}

std::shared_ptr<void> EmbeddedLog::subscribe(const TopicPartition& where,
                                             std::function<void()> wake) {
  PartitionState* partition = core_->topics().find(where);
  if (partition == nullptr) return nullptr;
  return partition->wakes->add(std::move(wake));
}

Result<Marks> EmbeddedLog::marks(const TopicPartition& where) {
  const PartitionState* partition = core_->topics().find(where);
  if (partition == nullptr) return no_such_partition(where);
  return partition->marks();
}

Result<std::unique_ptr<Ownership>> EmbeddedLog::own(const std::string& group,
                                                    const std::vector<std::string>& topics,
                                                    OwnershipListener& listener) {
  ST_CHECK_OK(check_group(group));
  std::vector<TopicPartition> partitions;
  for (const std::string& topic : topics) {
    const std::int32_t count = core_->topics().partitions(topic);
    if (count == 0) return no_such_partition({topic, 0});
    for (std::int32_t i = 0; i < count; ++i) partitions.push_back({topic, i});
  }
  {
    const std::lock_guard lock(groups_->mutex);
    for (const std::string& topic : topics) {
      if (!groups_->owned.contains({group, topic})) continue;
      return Error{ErrorCode::conflict, "group " + group + " already has a member for " + topic,
                   "an embedded log has one process, and each group one member in it"};
    }
    for (const std::string& topic : topics) groups_->owned.insert({group, topic});
  }
  return std::unique_ptr<Ownership>(
      std::make_unique<EmbeddedOwnership>(groups_, group, std::move(partitions), listener));
}

Status EmbeddedLog::trim(const TopicPartition& where, Position before) {
  PartitionState* partition = core_->topics().find(where);
  if (partition == nullptr) return no_such_partition(where);
  return core_->trim(*partition, before);
}

void EmbeddedLog::close(Millis deadline) {
  const std::lock_guard lock(close_mutex_);
  if (!writer_.joinable()) return;
  core_->queue().close();
  if (core_->wait_for_writer(deadline)) {
    writer_.join();
    core_->close_store();
    return;
  }
  // The disk hangs, or is too slow for the deadline. The writer keeps the core, and with it the
  // directory's lock, until its last write returns.
  AppendOutcome outcome;
  outcome.error = {ErrorCode::unknown_outcome, "the log was closed before it answered", ""};
  for (AppendDone& done : core_->abandon()) {
    if (done) done(outcome);
  }
  writer_.detach();
}

Result<std::unique_ptr<EventLog>> open_on(const std::string& directory,
                                          const EmbeddedLogOptions& options, const Clock& clock,
                                          Random& random, rocksdb::Env* env) {
  ST_ASSIGN(auto core, LogCore::open(directory, options, clock, random, env));
  return std::unique_ptr<EventLog>(std::make_unique<EmbeddedLog>(std::move(core)));
}

}  // namespace

Result<std::unique_ptr<EventLog>> open_embedded_log(const std::string& directory,
                                                    const EmbeddedLogOptions& options,
                                                    const Clock& clock, Random& random) {
  return open_on(directory, options, clock, random, nullptr);
}

Result<std::unique_ptr<EventLog>> open_embedded_log_on_env(const std::string& directory,
                                                           const EmbeddedLogOptions& options,
                                                           const Clock& clock, Random& random,
                                                           rocksdb::Env& env) {
  return open_on(directory, options, clock, random, &env);
}

}  // namespace sandtrail
