// SPDX-License-Identifier: Apache-2.0
// Ownership of partitions.
#include <chrono>
#include <set>

#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

class Listener final : public OwnershipListener {
 public:
  void on_assigned(const TopicPartition& partition) override {
    const std::lock_guard lock(mutex_);
    CHECK(owned_.insert(partition).second);
    changed_.notify_all();
  }
  void on_revoked(const TopicPartition& partition) override { drop(partition); }
  void on_lost(const TopicPartition& partition) override { drop(partition); }

  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kPatience.count),
                             [&] { return owned_.size() == count; });
  }

 private:
  void drop(const TopicPartition& partition) {
    const std::lock_guard lock(mutex_);
    CHECK(owned_.erase(partition) == 1);
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<TopicPartition> owned_;
};

}  // namespace

TEST_CASE("a sole member gets every partition, and its successor too") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const std::string one = make_topic(log, 3).topic;
    const std::string two = make_topic(log, 2).topic;
    Listener first;
    Listener second;
    Listener other_group;
    {
      const auto ownership = log.own("launcher", {one, two}, first);
      REQUIRE(ownership.ok());
      CHECK(first.wait_for(5));
      const auto beside = log.own("billing", {one}, other_group);
      REQUIRE(beside.ok());
      CHECK(other_group.wait_for(3));
    }
    const auto ownership = log.own("launcher", {one, two}, second);
    REQUIRE(ownership.ok());
    CHECK(second.wait_for(5));
  }
}

TEST_CASE("nobody can own what is not there") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    Listener listener;
    CHECK(under_test->log().own("g", {"no-such-topic"}, listener).error().code ==
          ErrorCode::not_found);
    const std::string topic = make_topic(under_test->log()).topic;
    CHECK(under_test->log().own("", {topic}, listener).error().code == ErrorCode::invalid_argument);
  }
}
