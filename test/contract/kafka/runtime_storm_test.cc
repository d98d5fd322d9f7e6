// SPDX-License-Identifier: Apache-2.0
// The same storm with what decides in the product: runtimes with a role, which claims what it is
// assigned and acts on what it has folded itself.
#include <doctest/doctest.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/random.h"
#include "kafka/kafka_log.h"
#include "kafka_broker.h"
#include "runtime/runtime.h"
#include "store/memory_kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr std::int32_t kPartitions = 2;
constexpr std::size_t kMembersMax = 4;
constexpr Millis kPatience = seconds(60);
constexpr int kCalmMsMax = 500;

SystemClock test_clock;
SystemRandom test_random;

// Which decisions were carried out, by whoever was told that its own was applied.
class Ledger {
 public:
  void carried_out(const TopicPartition& where, std::int64_t version) {
    const std::lock_guard lock(mutex_);
    if (!done_[where].insert(version).second) ++doubled_;
  }
  std::map<TopicPartition, std::set<std::int64_t>> done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  int doubled() {
    const std::lock_guard lock(mutex_);
    return doubled_;
  }

 private:
  std::mutex mutex_;
  std::map<TopicPartition, std::set<std::int64_t>> done_;
  int doubled_ = 0;
};

// Adopts one rate card after the other, for as long as it is live.
class AdoptingPartition final : public RolePartition {
 public:
  AdoptingPartition(RoleContext& context, Ledger& ledger) : context_(context), ledger_(ledger) {}
  void resume() override { adopt(); }
  void on_committed(const std::vector<Folded>&) override {}

 private:
  void adopt() {
    const std::int64_t version = context_.state().meta.rate_card + 1;
    Proposal proposal;
    proposal.subject = "rate-card/" + std::to_string(version);
    proposal.body = PlatformAdopted{version, {version, {100}}};
    context_.propose(std::move(proposal), [this, version](const ProposalOutcome& outcome) {
      if (!outcome.applied()) return;
      ledger_.carried_out(context_.where(), version);
      adopt();
    });
  }
  RoleContext& context_;
  Ledger& ledger_;
};

class AdoptingRole final : public Role {
 public:
  explicit AdoptingRole(Ledger& ledger) : ledger_(ledger) {}
  DeciderRole name() const override { return DeciderRole::billing; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    return std::make_unique<AdoptingPartition>(context, ledger_);
  }

 private:
  Ledger& ledger_;
};

// What every fold must agree on: the decisions that were applied, each under the newest claim.
class Judge final : public Observer {
 public:
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override {
    const std::lock_guard lock(mutex_);
    Seen& seen = seen_[view.where()];
    for (const Folded& folded : batch) {
      if (const auto* claim = folded.applied_as<OwnerClaimed>()) {
        if (claim->role == DeciderRole::billing) seen.epoch = claim->epoch;
      } else if (const auto* adopted = folded.applied_as<PlatformAdopted>()) {
        const bool newest = folded.event->decision && folded.event->decision->epoch == seen.epoch;
        if (!newest) ++of_old_epochs_;
        seen.versions.insert(adopted->position);
      }
    }
  }
  struct Seen {
    std::int64_t epoch = 0;
    std::set<std::int64_t> versions;
  };
  std::map<TopicPartition, Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int of_old_epochs() {
    const std::lock_guard lock(mutex_);
    return of_old_epochs_;
  }

 private:
  std::mutex mutex_;
  std::map<TopicPartition, Seen> seen_;
  int of_old_epochs_ = 0;
};

struct Process {
  Process(const std::string& prefix, Ledger* ledger) {
    KafkaLogOptions options;
    options.connection = kafka_connection(prefix);
    options.session_timeout = seconds(6);
    auto opened = open_kafka_log(options, test_clock);
    REQUIRE(opened.ok());
    log = std::move(*opened);
    RuntimeOptions runtime_options;
    runtime_options.events_partitions = kPartitions;
    runtime = std::make_unique<Runtime>(runtime_options, *log, store, test_clock, test_random);
    if (ledger != nullptr) runtime->add(std::make_unique<AdoptingRole>(*ledger));
    runtime->add(&judge);
    const std::int64_t until_us = test_clock.monotonic_us() + kPatience.count * 1000;
    while (!runtime->start().ok()) REQUIRE(test_clock.monotonic_us() < until_us);
  }
  ~Process() {
    runtime->stop();
    log->close(seconds(5));
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::set<TopicPartition> live() {
    std::set<TopicPartition> out;
    for (const PartitionStatus& status : runtime->status()) {
      CHECK(status.stopped.empty());
      for (const RoleStatus& role : status.roles) {
        if (role.live) out.insert(status.where);
      }
    }
    return out;
  }
  Judge judge;
  MemoryKvStore store;
  std::unique_ptr<EventLog> log;
  std::unique_ptr<Runtime> runtime;
};

bool wait_for(const std::function<bool()>& condition) {
  const std::int64_t until_us = test_clock.monotonic_us() + kPatience.count * 1000;
  while (!condition()) {
    if (test_clock.monotonic_us() > until_us) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

bool each_live_once(const std::vector<std::unique_ptr<Process>>& processes) {
  std::size_t lives = 0;
  std::set<TopicPartition> where;
  for (const auto& process : processes) {
    const auto live = process->live();
    lives += live.size();
    where.insert(live.begin(), live.end());
  }
  return lives == kPartitions && where.size() == kPartitions;
}

int joins_and_leaves() {
  const char* torture = std::getenv("SANDTRAIL_TORTURE");
  return torture != nullptr && std::string(torture) == "1" ? 200 : 20;
}

}  // namespace

TEST_CASE("in a storm of joins and leaves every decision is carried out by one, under its epoch") {
  const std::string prefix = fresh_kafka_prefix("roles");
  SeededRandom random(21);
  Ledger ledger;
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < joins_and_leaves(); ++i) {
    const bool joins =
        processes.size() < 2 || (processes.size() < kMembersMax && random.below(2) == 0);
    if (joins) {
      processes.push_back(std::make_unique<Process>(prefix, &ledger));
    } else {
      processes.erase(processes.begin() +
                      static_cast<std::ptrdiff_t>(random.below(processes.size())));
    }
    const std::int64_t calm_us = static_cast<std::int64_t>(random.below(kCalmMsMax)) * 1000;
    const std::int64_t until_us = test_clock.monotonic_us() + calm_us;
    wait_for([&] { return each_live_once(processes) || test_clock.monotonic_us() > until_us; });
  }
  CHECK(wait_for([&] { return each_live_once(processes); }));
  for (const auto& process : processes) process->runtime->leave();
  Process last(prefix, nullptr);
  const auto tail = [&](const TopicPartition& where) { return last.log->marks(where)->high; };
  for (const TopicPartition& where : last.runtime->partitions()) {
    CAPTURE(where.text());
    const Position end = tail(where);
    const auto at_end = [&](Process& process) {
      return wait_for([&] { return process.runtime->digests(where)->next >= end; });
    };
    REQUIRE(at_end(last));
    const PartitionDigests wanted = *last.runtime->digests(where);
    for (const auto& process : processes) {
      REQUIRE(at_end(*process));
      const PartitionDigests found = *process->runtime->digests(where);
      CHECK(found.fold == wanted.fold);
      CHECK(found.core == wanted.core);
    }
  }
  CHECK(ledger.doubled() == 0);
  CHECK(last.judge.of_old_epochs() == 0);
  std::size_t decisions = 0;
  const auto seen = last.judge.seen();
  for (const auto& [where, versions] : ledger.done()) {
    for (const std::int64_t version : versions) CHECK(seen.at(where).versions.contains(version));
    decisions += versions.size();
  }
  CHECK(decisions > static_cast<std::size_t>(joins_and_leaves()));
  MESSAGE(decisions << " decisions; epochs " << seen.at({"events", 0}).epoch << " and "
                    << seen.at({"events", 1}).epoch);
}
