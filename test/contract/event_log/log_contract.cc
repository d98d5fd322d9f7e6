// SPDX-License-Identifier: Apache-2.0
#include "log_contract.h"

#include <atomic>
#include <chrono>
#include <map>

namespace sandtrail::contract {
namespace {

std::vector<Adapter>& registry() {
  static std::vector<Adapter> adapters;
  return adapters;
}

}  // namespace

Registration::Registration(Adapter adapter) {
  registry().push_back(std::move(adapter));
}

const std::vector<Adapter>& adapters() {
  return registry();
}

std::string fresh_topic() {
  static std::atomic<int> count{0};
  return "topic-" + std::to_string(++count);
}

TopicPartition make_topic(EventLog& log, std::int32_t partitions) {
  const TopicPartition where{fresh_topic(), 0};
  REQUIRE(log.ensure_topic({where.topic, partitions}).ok());
  return where;
}

Record record_of(const std::string& value) {
  return {"org_key", {{"ce_id", value}, {"ce_type", "sandtrail.test"}}, value};
}

void History::append(EventLog& log, const TopicPartition& where, Record record) {
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    index = sent_.size();
    sent_.push_back({where, record, {}, 0});
  }
  log.append(where, std::move(record), [this, index](const AppendOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    sent_[index].outcome = outcome;
    if (++sent_[index].answers == 1) ++answered_;
    changed_.notify_all();
  });
}

bool History::wait() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(kPatience.count),
                           [this] { return answered_ == sent_.size(); });
}

std::vector<History::Sent> History::sent() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

std::size_t History::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

AppendOutcome commit(EventLog& log, const TopicPartition& where, const Record& record) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    History history;
    history.append(log, where, record);
    REQUIRE(history.wait());
    const AppendOutcome outcome = history.sent()[0].outcome;
    if (outcome.committed()) return outcome;
  }
  FAIL("never committed");
  return {};
}

std::vector<StoredRecord> read_from(EventLog& log, const TopicPartition& where, Position from,
                                    std::size_t bytes_max) {
  const auto marks = log.marks(where);
  REQUIRE(marks.ok());
  auto reader = log.open_reader(where, from);
  REQUIRE(reader.ok());
  std::vector<StoredRecord> records;
  for (Position next = from; next < marks->high;) {
    auto batch = (*reader)->poll(bytes_max);
    if (!batch.ok()) FAIL(batch.error().text());
    REQUIRE(batch->next > next);
    next = batch->next;
    for (StoredRecord& record : batch->records) records.push_back(std::move(record));
  }
  return records;
}

std::vector<StoredRecord> read_all(EventLog& log, const TopicPartition& where) {
  const auto marks = log.marks(where);
  REQUIRE(marks.ok());
  return read_from(log, where, marks->low);
}

void check_truthful(EventLog& log, const TopicPartition& where,
                    const std::vector<History::Sent>& sent) {
  std::map<std::string, std::vector<const StoredRecord*>> stored;
  const std::vector<StoredRecord> records = read_all(log, where);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) REQUIRE(records[i - 1].position < records[i].position);
    if (i > 0) REQUIRE(records[i - 1].stamp <= records[i].stamp);
    stored[records[i].record.value].push_back(&records[i]);
  }
  Position last{-1};
  for (const History::Sent& one : sent) {
    if (one.where != where) continue;
    CAPTURE(one.record.value.substr(0, 40));
    REQUIRE(one.answers == 1);
    const auto& copies = stored[one.record.value];
    for (const StoredRecord* copy : copies) REQUIRE(copy->record == one.record);
    if (one.outcome.kind == AppendOutcome::Kind::not_committed) REQUIRE(copies.empty());
    if (one.outcome.committed()) {
      REQUIRE(!copies.empty());
      const bool is_there = std::any_of(copies.begin(), copies.end(), [&](const auto* copy) {
        return copy->position == one.outcome.position && copy->stamp == one.outcome.stamp;
      });
      REQUIRE(is_there);
    }
    if (copies.empty()) continue;
    REQUIRE(copies.front()->position > last);
    last = copies.front()->position;
  }
}

}  // namespace sandtrail::contract
