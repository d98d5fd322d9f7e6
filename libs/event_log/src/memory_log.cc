// SPDX-License-Identifier: Apache-2.0
#include "event_log/memory_log.h"

#include "event_log/checks.h"
#include "memory_core.h"

namespace sandtrail {
namespace {

using memory::Client;
using memory::Core;
using memory::Partition;

AppendOutcome not_committed(Error error) {
  return {AppendOutcome::Kind::not_committed, {}, {}, std::move(error)};
}

class MemoryReader final : public LogReader {
 public:
  MemoryReader(std::shared_ptr<Core> core, std::shared_ptr<Client> client, TopicPartition where,
               Position from)
      : core_(std::move(core)),
        client_(std::move(client)),
        where_(std::move(where)),
        next_(from.value) {}

  Result<ReadBatch> poll(std::size_t bytes_max) override {
    const std::lock_guard lock(core_->mutex);
    ST_CHECK_OK(core_->check_reach_locked(*client_));
    const Partition* partition = core_->find_locked(where_);
    if (partition == nullptr) return no_such_partition(where_);
    ST_CHECK_OK(check_position(*partition));
    ReadBatch batch{{}, {next_}, {{partition->low}, {partition->synced}}};
    std::size_t bytes = 0;
    auto at = partition->records.lower_bound(next_);
    for (; at != partition->records.end() && at->first < partition->synced; ++at) {
      if (!batch.records.empty() && bytes + at->second.bytes.size() > bytes_max) break;
      auto decoded = decode(*partition, *at);
      if (!decoded.ok() && batch.records.empty()) return decoded.error();
      if (!decoded.ok()) break;
      bytes += at->second.bytes.size();
      batch.next = Position{at->first}.next();
      batch.records.push_back(std::move(decoded->stored));
    }
    // Positions that were never given at the end of what is readable.
    if (at == partition->records.end() || at->first >= partition->synced) {
      batch.next = {partition->synced};
    }
    next_ = batch.next.value;
    return batch;
  }

 private:
  Status check_position(const Partition& partition) const {
    if (next_ < partition.low) return trimmed_error(where_, {next_}, {partition.low});
    if (next_ > partition.synced) return beyond_tail_error(where_, {next_}, {partition.synced});
    return {};
  }
  Result<DecodedRecord> decode(const Partition& partition,
                               const std::pair<const std::int64_t, memory::Entry>& entry) const {
    if (!partition.damaged.contains(entry.first)) {
      return decode_record(where_, {entry.first}, entry.second.bytes);
    }
    Bytes damaged = entry.second.bytes;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    return decode_record(where_, {entry.first}, damaged);
  }

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Client> client_;
  const TopicPartition where_;
  std::int64_t next_;
};

class MemoryOwnership final : public Ownership {
 public:
  MemoryOwnership(std::shared_ptr<Core> core, std::shared_ptr<memory::Member> member)
      : core_(std::move(core)), member_(std::move(member)) {}
  ~MemoryOwnership() override {
    {
      std::unique_lock lock(core_->mutex);
      core_->wait_for_callback_locked(lock);
      if (member_->live) core_->leave_locked(member_);
    }
    core_->settle();
  }

 private:
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<memory::Member> member_;
};

}  // namespace

MemoryLog::MemoryLog(const MemoryLogOptions& options, const Clock& clock)
    : MemoryLog(std::make_shared<Core>(options, clock)) {}

MemoryLog::MemoryLog(std::shared_ptr<Core> core)
    : core_(std::move(core)), client_([this] {
        const std::lock_guard lock(core_->mutex);
        core_->fatal.clear();
        return core_->connect_locked();
      }()) {}

MemoryLog::~MemoryLog() {
  close({0});
}

std::unique_ptr<MemoryLog> MemoryLog::connect() {
  return std::unique_ptr<MemoryLog>(new MemoryLog(core_));
}

Status MemoryLog::ensure_topic(const TopicSpec& spec) {
  const std::lock_guard lock(core_->mutex);
  ST_CHECK_OK(core_->check_reach_locked(*client_));
  ST_CHECK_OK(check_topic(spec));
  const auto known = core_->topics.find(spec.name);
  if (known != core_->topics.end()) {
    return check_same_partitions(spec, static_cast<std::int32_t>(known->second.size()));
  }
  if (core_->topics.size() >= limits::kTopicsMax) {
    return Error{ErrorCode::overloaded, "the log has its maximum of topics", ""};
  }
  std::vector<Partition> partitions(static_cast<std::size_t>(spec.partitions));
  for (std::int32_t i = 0; i < spec.partitions; ++i) {
    partitions[static_cast<std::size_t>(i)].where = {spec.name, i};
  }
  core_->topics.emplace(spec.name, std::move(partitions));
  return {};
}

std::int32_t MemoryLog::partitions(const std::string& topic) const {
  const std::lock_guard lock(core_->mutex);
  const auto known = core_->topics.find(topic);
  return known == core_->topics.end() ? 0 : static_cast<std::int32_t>(known->second.size());
}

void MemoryLog::append(const TopicPartition& where, Record record, AppendDone done) {
  auto encoded = encode_record(where, record);
  // Decided under the lock; an early answer is given after it.
  const auto accept = [&]() -> Status {
    const std::lock_guard lock(core_->mutex);
    if (!client_->accepting) return closed_error();
    if (!encoded.ok()) return encoded.error();
    Partition* partition = core_->find_locked(where);
    if (partition == nullptr) return no_such_partition(where);
    if (!core_->fatal.empty()) {
      return Error{ErrorCode::internal, "the log has stopped: " + core_->fatal, "restart"};
    }
    if (core_->degraded) return Error{ErrorCode::disk_full, "the disk is full", "free some space"};
    const std::size_t bytes = encoded->bytes.size();
    if (client_->queued_records >= core_->options.queue_records_max ||
        client_->queued_bytes + bytes > core_->options.queue_bytes_max ||
        core_->chance_locked(core_->faults.overloaded)) {
      return Error{ErrorCode::overloaded, "the append queue is full", "retry later"};
    }
    client_->queued_records += 1;
    client_->queued_bytes += bytes;
    if (core_->chance_locked(core_->faults.spurious_wakes)) core_->wake_locked(where);
    if (!done) done = [](const AppendOutcome&) {};
    partition->queue.push_back(
        {client_, std::move(*encoded), bytes, std::move(done), core_->draw_fate_locked()});
    return {};
  };
  if (const Status accepted = accept(); !accepted.ok()) {
    if (done) done(not_committed(accepted.error()));
    return;
  }
  core_->settle();
}

Result<std::unique_ptr<LogReader>> MemoryLog::open_reader(const TopicPartition& where,
                                                          Position from) {
  const std::lock_guard lock(core_->mutex);
  ST_CHECK_OK(core_->check_reach_locked(*client_));
  if (core_->find_locked(where) == nullptr) return no_such_partition(where);
  return std::unique_ptr<LogReader>(std::make_unique<MemoryReader>(core_, client_, where, from));
}

std::shared_ptr<void> MemoryLog::subscribe(const TopicPartition& where,
                                           std::function<void()> wake) {
  auto subscription = std::make_shared<memory::Subscription>();
  subscription->client = client_;
  subscription->where = where;
  subscription->wake = std::move(wake);
  {
    const std::lock_guard lock(core_->mutex);
    core_->subscriptions.push_back(subscription);
  }
  return {subscription.get(), [core = core_, subscription](void*) {
            std::unique_lock lock(core->mutex);
            subscription->live = false;
            std::erase(core->subscriptions, subscription);
            core->wait_for_callback_locked(lock);
          }};
}

Result<Marks> MemoryLog::marks(const TopicPartition& where) {
  const std::lock_guard lock(core_->mutex);
  ST_CHECK_OK(core_->check_reach_locked(*client_));
  const Partition* partition = core_->find_locked(where);
  if (partition == nullptr) return no_such_partition(where);
  return Marks{{partition->low}, {partition->synced}};
}

Result<std::unique_ptr<Ownership>> MemoryLog::own(const std::string& group,
                                                  const std::vector<std::string>& topics,
                                                  OwnershipListener& listener) {
  auto member = std::make_shared<memory::Member>();
  member->client = client_;
  member->group = group;
  member->listener = &listener;
  member->topics.insert(topics.begin(), topics.end());
  {
    const std::lock_guard lock(core_->mutex);
    ST_CHECK_OK(core_->check_reach_locked(*client_));
    ST_CHECK_OK(check_group(group));
    for (const std::string& topic : topics) {
      if (!core_->topics.contains(topic)) return no_such_partition({topic, 0});
    }
    core_->join_locked(member);
  }
  core_->settle();
  return std::unique_ptr<Ownership>(std::make_unique<MemoryOwnership>(core_, member));
}

void MemoryLog::report(const std::string& group, const TopicPartition& where, Position durable) {
  const std::lock_guard lock(core_->mutex);
  if (!client_->open || core_->find_locked(where) == nullptr) return;
  auto& reported = core_->reports[where];
  const auto known = reported.find(group);
  if (known == reported.end()) {
    reported.emplace(group, durable.value);
  } else {
    known->second = std::max(known->second, durable.value);
  }
}

Result<ReportedPositions> MemoryLog::reported() {
  const std::lock_guard lock(core_->mutex);
  ST_CHECK_OK(core_->check_reach_locked(*client_));
  ReportedPositions out;
  for (const auto& [where, groups] : core_->reports) {
    for (const auto& [group, durable] : groups) out[group][where] = {durable};
  }
  return out;
}

Status MemoryLog::trim(const TopicPartition& where, Position before) {
  const std::lock_guard lock(core_->mutex);
  ST_CHECK_OK(core_->check_reach_locked(*client_));
  Partition* partition = core_->find_locked(where);
  if (partition == nullptr) return no_such_partition(where);
  if (before.value > partition->synced) {
    return Error{ErrorCode::invalid_argument, "cannot trim past the tail of " + where.text(), ""};
  }
  for (const auto& [group, durable] : core_->reports[where]) {
    if (durable >= before.value) continue;
    return Error{ErrorCode::conflict,
                 group + " still needs " + where.text() + " from " + std::to_string(durable), ""};
  }
  core_->trim_locked(*partition, before.value);
  return {};
}

std::string MemoryLog::identity() const {
  const std::lock_guard lock(core_->mutex);
  return core_->identity;
}

LogHealth MemoryLog::health() const {
  const std::lock_guard lock(core_->mutex);
  return client_->health.seen(core_->health_locked(*client_), core_->clock.now());
}

bool MemoryLog::step() {
  return core_->step();
}

void MemoryLog::run() {
  while (step()) {
  }
}

void MemoryLog::close(Millis) {
  const auto busy = [this] {
    const std::lock_guard lock(core_->mutex);
    client_->accepting = false;
    return client_->open && client_->queued_records > 0 && !core_->stalled;
  };
  while (busy() && core_->step()) {
  }
  std::vector<memory::Answer> left;
  {
    std::unique_lock lock(core_->mutex);
    if (!client_->open) return;
    core_->wait_for_callback_locked(lock);
    left = core_->take_unanswered_locked(client_.get());
    core_->forget_client_locked(client_);
  }
  for (memory::Answer& answer : left) {
    AppendOutcome outcome;
    outcome.error = {ErrorCode::unknown_outcome, "the log was closed before it answered", ""};
    answer.done(outcome);
  }
  core_->settle();
}

}  // namespace sandtrail
