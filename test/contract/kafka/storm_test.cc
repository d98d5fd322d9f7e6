// SPDX-License-Identifier: Apache-2.0
// Twenty joins and leaves (SANDTRAIL_TORTURE=1: two hundred) while every owner appends to what it
// owns: told by the members' own account, and by what the log then holds.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/random.h"
#include "kafka/kafka_log.h"
#include "kafka_broker.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr std::int32_t kPartitions = 6;
constexpr std::size_t kMembersMax = 5;
constexpr int kInFlightMax = 4;
constexpr auto kPatience = std::chrono::seconds(60);
constexpr int kCalmMsMax = 400;  // between two of them, unless an assignment comes first

const SystemClock test_clock;

// Who owns what, by what the members were told. One tenure: from on_assigned() until on_revoked()
// has returned, or on_lost() came.
class Register {
 public:
  // The number of the tenure that begins.
  int begin(const TopicPartition& where) {
    const std::lock_guard lock(mutex_);
    shared_ = shared_ || ++owners_[where] > 1;
    changed_.notify_all();
    return ++tenures_;
  }
  void end(const TopicPartition& where, int tenure, bool lost) {
    const std::lock_guard lock(mutex_);
    --owners_[where];
    if (lost) lost_.insert(tenure);
    changed_.notify_all();
  }
  bool wait_all_owned() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] {
      std::size_t owned = 0;
      for (const auto& [where, owners] : owners_) owned += owners == 1;
      return owned == kPartitions;
    });
  }
  // How many own each partition, for people.
  std::string text() {
    const std::lock_guard lock(mutex_);
    std::string out = std::to_string(tenures_) + " tenures; owners:";
    for (const auto& [where, owners] : owners_) {
      out += " " + where.text() + "=" + std::to_string(owners);
    }
    return out;
  }
  void wait_for_change(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most);
  }
  bool shared() const { return shared_; }
  int tenures() const { return tenures_; }
  bool was_lost(int tenure) const { return lost_.contains(tenure); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TopicPartition, int> owners_;
  int tenures_ = 0;
  std::set<int> lost_;
  bool shared_ = false;
};

std::unique_ptr<EventLog> open_log(const std::string& prefix) {
  KafkaLogOptions options;
  options.connection = kafka_connection(prefix);
  options.session_timeout = seconds(6);
  auto log = open_kafka_log(options, test_clock);
  REQUIRE(log.ok());
  return std::move(*log);
}

// A process: appends "TENURE" to each partition for as long as it owns it.
class Member final : public OwnershipListener {
 public:
  Member(Register& shared_register, const std::string& prefix)
      : register_(shared_register), log_(open_log(prefix)), thread_([this] { run(); }) {
    auto joined = log_->own("storm", {"events"}, *this);
    REQUIRE(joined.ok());
    ownership_ = std::move(*joined);
  }
  ~Member() override {
    ownership_.reset();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    thread_.join();
    log_->close(seconds(10));
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  void on_assigned(const TopicPartition& where) override {
    const std::lock_guard lock(mutex_);
    CHECK(owned_[where].tenure == 0);
    owned_[where].tenure = register_.begin(where);
    changed_.notify_all();
  }
  // Returns when all that it appended is answered.
  void on_revoked(const TopicPartition& where) override {
    std::unique_lock lock(mutex_);
    const int tenure = std::exchange(owned_[where].tenure, 0);
    CHECK(tenure != 0);
    changed_.wait(lock, [&] { return owned_[where].in_flight == 0; });
    register_.end(where, tenure, false);
  }
  void on_lost(const TopicPartition& where) override {
    const std::lock_guard lock(mutex_);
    const int tenure = std::exchange(owned_[where].tenure, 0);
    CHECK(tenure != 0);
    register_.end(where, tenure, true);
  }
  std::size_t owns() {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const auto& [where, tenancy] : owned_) count += tenancy.tenure != 0;
    return count;
  }

 private:
  struct Tenancy {
    int tenure = 0;  // 0: not ours
    int in_flight = 0;
  };
  // The next partition that may get another record, after `last`.
  std::map<TopicPartition, Tenancy>::iterator ready(const TopicPartition& last) {
    const auto fits = [](const Tenancy& t) { return t.tenure != 0 && t.in_flight < kInFlightMax; };
    for (auto it = owned_.upper_bound(last); it != owned_.end(); ++it) {
      if (fits(it->second)) return it;
    }
    for (auto it = owned_.begin(); it != owned_.end(); ++it) {
      if (fits(it->second)) return it;
    }
    return owned_.end();
  }
  void run() {
    TopicPartition last;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ended_ || ready(last) != owned_.end(); });
      if (ended_) return;
      const auto next = ready(last);
      last = next->first;
      ++next->second.in_flight;
      const std::string value = std::to_string(next->second.tenure);
      lock.unlock();
      log_->append(last, {"key", {}, value}, [this, where = last](const AppendOutcome&) {
        const std::lock_guard answered(mutex_);
        --owned_[where].in_flight;
        changed_.notify_all();
      });
      lock.lock();
    }
  }

  Register& register_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TopicPartition, Tenancy> owned_;
  bool ended_ = false;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<Ownership> ownership_;
  std::thread thread_;
};

// The tenures in the order in which their records stand in a partition, one entry for each run of
// records of the same.
std::vector<int> tenures_in(EventLog& log, const TopicPartition& where, std::size_t& records) {
  const auto marks = log.marks(where);
  REQUIRE(marks.ok());
  auto reader = log.open_reader(where, marks->low);
  REQUIRE(reader.ok());
  std::vector<int> out;
  for (Position next = marks->low; next < marks->high;) {
    const auto batch = (*reader)->poll(1u << 20);
    REQUIRE(batch.ok());
    next = batch->next;
    for (const StoredRecord& record : batch->records) {
      ++records;
      const int tenure = std::stoi(record.record.value);
      if (out.empty() || out.back() != tenure) out.push_back(tenure);
    }
  }
  return out;
}

int joins_and_leaves() {
  const char* torture = std::getenv("SANDTRAIL_TORTURE");
  return torture != nullptr && std::string(torture) == "1" ? 200 : 20;
}

}  // namespace

TEST_CASE(
    "in a storm of joins and leaves no partition ever has two owners, and then each has one") {
  const std::string prefix = fresh_kafka_prefix("storm");
  const auto log = open_log(prefix);
  REQUIRE(log->ensure_topic({"events", kPartitions}).ok());
  SeededRandom random(20);
  Register owners;
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < joins_and_leaves(); ++i) {
    const bool joins = members.size() < 2 || (members.size() < kMembersMax && random.below(2) == 0);
    if (joins) {
      members.push_back(std::make_unique<Member>(owners, prefix));
    } else {
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(random.below(members.size())));
    }
    owners.wait_for_change(std::chrono::milliseconds(random.below(kCalmMsMax)));
  }
  REQUIRE_MESSAGE(owners.wait_all_owned(), owners.text() << ", members: " << members.size());
  // One that leaves hands over what it has, and nobody waits for its session to end.
  while (members.size() > 1) {
    const std::int64_t began_us = test_clock.monotonic_us();
    members.pop_back();
    REQUIRE_MESSAGE(owners.wait_all_owned(), owners.text());
    MESSAGE("left, and all was owned after " << (test_clock.monotonic_us() - began_us) / 1000
                                             << " ms, by " << members.size());
  }
  CHECK(members[0]->owns() == kPartitions);
  members.clear();
  CHECK_FALSE(owners.shared());
  std::size_t records = 0;
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
    CAPTURE(partition);
    std::set<int> ended;
    int before = 0;
    for (const int tenure : tenures_in(*log, {"events", partition}, records)) {
      if (before != 0 && !owners.was_lost(before)) ended.insert(before);
      CHECK_FALSE(ended.contains(tenure));
      before = tenure;
    }
  }
  CHECK(records > static_cast<std::size_t>(owners.tenures()));
  MESSAGE(owners.tenures() << " tenures, " << records << " records");
}
