// SPDX-License-Identifier: Apache-2.0
// What only the log over Kafka promises: several processes, brokers that are away, topics that are
// not as they should be.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "kafka/kafka_log.h"
#include "kafka_broker.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const SystemClock test_clock;
constexpr auto kPatience = std::chrono::seconds(40);

std::unique_ptr<EventLog> open_log(const std::string& prefix, int min_insync = 1) {
  KafkaLogOptions options;
  options.connection = kafka_connection(prefix);
  options.connection.min_insync = static_cast<std::int16_t>(min_insync);
  options.session_timeout = seconds(6);
  auto log = open_kafka_log(options, test_clock);
  REQUIRE(log.ok());
  return std::move(*log);
}

AppendOutcome append(EventLog& log, const TopicPartition& where, const std::string& value) {
  auto answer = std::make_shared<std::promise<AppendOutcome>>();
  auto future = answer->get_future();
  log.append(where, {"key", {{"h", "v"}}, value},
             [answer](const AppendOutcome& outcome) { answer->set_value(outcome); });
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

// Who owns which partitions, over all members of a group.
class Owners {
 public:
  class Member final : public OwnershipListener {
   public:
    Member(Owners& owners, std::string name) : owners_(owners), name_(std::move(name)) {}
    void on_assigned(const TopicPartition& where) override { owners_.change(name_, where, true); }
    void on_revoked(const TopicPartition& where) override { owners_.change(name_, where, false); }
    void on_lost(const TopicPartition& where) override { owners_.change(name_, where, false); }

   private:
    Owners& owners_;
    const std::string name_;
  };

  // True once every member named has as many partitions as given, and nobody else any.
  bool wait_for(const std::map<std::string, std::size_t>& counts) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] {
      std::map<std::string, std::size_t> now;
      for (const auto& [name, owned] : owned_) {
        if (!owned.empty()) now[name] = owned.size();
      }
      return now == counts;
    });
  }
  // Never two members at a time, while all of them answer.
  bool shared() const {
    const std::lock_guard lock(mutex_);
    return shared_;
  }

 private:
  void change(const std::string& name, const TopicPartition& where, bool assigned) {
    const std::lock_guard lock(mutex_);
    if (assigned) {
      for (const auto& [other, owned] : owned_) shared_ = shared_ || owned.contains(where);
      owned_[name].insert(where);
    } else {
      owned_[name].erase(where);
    }
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::set<TopicPartition>> owned_;
  bool shared_ = false;
};

}  // namespace

TEST_CASE("members share the partitions, and what one leaves another gets") {
  const std::string prefix = fresh_kafka_prefix("own");
  const auto one = open_log(prefix);
  const auto two = open_log(prefix);
  REQUIRE(one->ensure_topic({"events", 6}).ok());
  Owners owners;
  Owners::Member first(owners, "first");
  Owners::Member second(owners, "second");
  auto mine = one->own("launcher", {"events"}, first);
  REQUIRE(mine.ok());
  REQUIRE(owners.wait_for({{"first", 6}}));
  auto yours = two->own("launcher", {"events"}, second);
  REQUIRE(yours.ok());
  REQUIRE(owners.wait_for({{"first", 3}, {"second", 3}}));
  mine->reset();
  REQUIRE(owners.wait_for({{"second", 6}}));
  CHECK_FALSE(owners.shared());
}

TEST_CASE("one process reads what another appends, and both know the log as the same") {
  const std::string prefix = fresh_kafka_prefix("two");
  const auto writer = open_log(prefix);
  const auto reader = open_log(prefix);
  REQUIRE(writer->ensure_topic({"events", 1}).ok());
  CHECK(reader->partitions("events") == 1);
  CHECK(writer->identity() == reader->identity());
  CHECK(open_log(fresh_kafka_prefix("other"))->identity() != writer->identity());
  const TopicPartition where{"events", 0};
  auto records = reader->open_reader(where, {0});
  REQUIRE(records.ok());
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  const auto subscription = reader->subscribe(where, [&] {
    const std::lock_guard lock(mutex);
    woken = true;
    changed.notify_all();
  });
  const AppendOutcome outcome = append(*writer, where, "hello");
  REQUIRE(outcome.committed());
  std::vector<StoredRecord> seen;
  while (seen.empty()) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, kPatience, [&] { return woken; }));
    woken = false;
    lock.unlock();
    auto batch = (*records)->poll(1000);
    REQUIRE(batch.ok());
    for (StoredRecord& record : batch->records) seen.push_back(std::move(record));
  }
  CHECK(seen[0].position == outcome.position);
  CHECK(seen[0].stamp == outcome.stamp);
  CHECK(seen[0].record.value == "hello");
  CHECK(reader->marks(where)->high > outcome.position);
}

TEST_CASE("a log open for reading appends nothing and makes no topic") {
  const std::string prefix = fresh_kafka_prefix("read");
  const auto writer = open_log(prefix);
  REQUIRE(writer->ensure_topic({"events", 2}).ok());
  REQUIRE(append(*writer, {"events", 1}, "hello").committed());
  KafkaLogOptions options;
  options.connection = kafka_connection(prefix);
  options.read_only = true;
  const auto log = open_kafka_log(options, test_clock);
  REQUIRE(log.ok());
  CHECK((*log)->ensure_topic({"events", 2}).ok());
  CHECK((*log)->ensure_topic({"events", 3}).error().code == ErrorCode::conflict);
  CHECK((*log)->ensure_topic({"audit", 1}).error().code == ErrorCode::not_found);
  CHECK(append(**log, {"events", 1}, "no").error.code == ErrorCode::denied);
  auto reader = (*log)->open_reader({"events", 1}, {0});
  REQUIRE(reader.ok());
  const auto batch = (*reader)->poll(1000);
  REQUIRE(batch.ok());
  REQUIRE(batch->records.size() == 1);
  CHECK(batch->records[0].record.value == "hello");
}

TEST_CASE("a topic that is not made as a log's is refused, and the difference is named") {
  const std::string prefix = fresh_kafka_prefix("spec");
  const auto log = open_log(prefix);
  REQUIRE(log->ensure_topic({"events", 2}).ok());
  CHECK(log->ensure_topic({"events", 3}).error().code == ErrorCode::conflict);
  const Status stricter = open_log(prefix, 2)->ensure_topic({"events", 2});
  REQUIRE_FALSE(stricter.ok());
  CHECK(stricter.error().code == ErrorCode::conflict);
  CHECK(stricter.error().message.find("min.insync.replicas is 1 instead of 2") !=
        std::string::npos);
}

TEST_CASE("without a broker nothing fails for good, and the health says since when") {
  KafkaLogOptions options;
  options.connection.brokers = "127.0.0.1:1";
  options.append_timeout = seconds(2);
  const UnixMs before = test_clock.now();
  auto log = open_kafka_log(options, test_clock);
  REQUIRE(log.ok());
  const LogHealth health = (*log)->health();
  CHECK(health.level == LogHealth::Level::degraded);
  CHECK(health.since >= before);
  CHECK_FALSE(health.reason.empty());
  const Status status = (*log)->ensure_topic({"events", 1});
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().retryable());
  CHECK((*log)->identity().empty());
}

TEST_CASE("a broker that hangs is noticed, and goes on where it was") {
  REQUIRE_MESSAGE(kafka_pid() != 0, "SANDTRAIL_TEST_KAFKA_PID is not set: scripts/test does");
  const std::string prefix = fresh_kafka_prefix("hang");
  const auto log = open_log(prefix);
  REQUIRE(log->ensure_topic({"events", 1}).ok());
  const TopicPartition where{"events", 0};
  REQUIRE(append(*log, where, "before").committed());
  const auto wait_for = [&](LogHealth::Level level) {
    const std::int64_t until_us = test_clock.monotonic_us() + 40'000'000;
    while (log->health().level != level && test_clock.monotonic_us() < until_us) {
      std::this_thread::yield();
    }
    return log->health().level == level;
  };
  REQUIRE(wait_for(LogHealth::Level::ok));
  hang_kafka(true);
  const bool noticed = wait_for(LogHealth::Level::degraded);
  hang_kafka(false);
  REQUIRE(noticed);
  CHECK(append(*log, where, "after").committed());
  CHECK(wait_for(LogHealth::Level::ok));
}
