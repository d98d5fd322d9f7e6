// SPDX-License-Identifier: Apache-2.0
// Who acts: claims, fencing, and that a replay never does.
#include <doctest/doctest.h>

#include <set>

#include "bench.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const std::string kGroup = "sandtrail-billing";

struct Live {
  explicit Live(BenchOptions options = {}) : bench(options) {
    REQUIRE(bench.start().ok());
    bench.settle();
  }
  Bench bench;
  RoleContext& role() {
    REQUIRE(bench.script.live.contains(kEvents));
    return *bench.script.live.at(kEvents);
  }
  bool live() const { return bench.script.live.contains(kEvents); }
};

}  // namespace

TEST_CASE("a role claims the next epoch and acts only after folding its claim") {
  Bench bench;
  REQUIRE(bench.start().ok());
  CHECK(bench.script.seen.empty());
  bench.settle();
  CHECK(bench.epoch() == 1);
  CHECK(bench.script.seen == std::vector<std::string>{"open", "resume"});
  const RoleStatus role = bench.status().roles.at(0);
  CHECK(role.assigned);
  CHECK(role.live);
  CHECK(role.epoch == 1);
  CHECK(bench.script.live.at(kEvents)->epoch() == 1);
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.epoch() == 2);
  CHECK(bench.script.live.at(kEvents)->epoch() == 2);
}

TEST_CASE("nothing is claimed before the partition has caught up, and a replay never reacts") {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  REQUIRE(bench.start().ok());
  CHECK(bench.runtime->step(0));  // folds, and only then may claim
  bench.settle();
  // The records before the claim were never shown to the role.
  for (const std::string& line : bench.script.seen) CHECK(line.find("batch 0-") != 0);
  CHECK(bench.epoch() == 1);
}

TEST_CASE("a foreign claim fences: the role is closed, and what it had proposed is void") {
  Live l;
  Ended decided;
  l.bench.log.stall(true);
  l.bench.foreign_claim(2);
  l.role().propose(adopt_card(1), decided.done());
  l.bench.log.stall(false);
  l.bench.settle();
  CHECK(!l.live());
  CHECK(decided.times == 0);  // the role that asked is gone
  CHECK(l.bench.tally("tsandtrail.platform.adopted") == "1");
  Bytes position = "p";
  put_be64(position, static_cast<std::uint64_t>(l.bench.status().next.value - 1));
  CHECK(l.bench.tally(position) == "stale_epoch");
  // Still assigned, so it claims again, after a while.
  l.bench.pass(seconds(3));
  CHECK(l.live());
  CHECK(l.bench.epoch() == 3);
}

TEST_CASE(
    "a decision that is applied before a foreign claim in the same batch is not carried out") {
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  Live l(options);
  Ended decided;
  l.role().propose(adopt_card(1), decided.done());
  l.bench.log.run();
  l.bench.foreign_claim(2);
  l.bench.settle();
  CHECK(l.bench.tally("tsandtrail.platform.adopted") == "1");
  CHECK(decided.times == 0);
  CHECK(!l.live());
}

TEST_CASE("a claim that loses the race is void, and the loser does not act") {
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  Bench bench(options);
  REQUIRE(bench.start().ok());
  while (bench.log.step()) {  // the assignment arrives
  }
  bench.foreign_claim(1);
  // The runtime has not folded the foreign claim when it makes its own.
  bench.settle();
  CHECK(bench.script.live.size() == 1);
  CHECK(bench.epoch() == 2);
}

TEST_CASE("losing and getting a partition again, in any order, leaves it live exactly if owned") {
  for (const bool by_loss : {true, false}) {
    CAPTURE(by_loss);
    Live l;
    for (int i = 0; i < 20; ++i) {
      by_loss ? l.bench.log.lose(kGroup, kEvents) : l.bench.log.revoke(kGroup, kEvents);
      if (i % 3 == 0) l.bench.settle();
      if (i % 3 == 0) CHECK(!l.live());
      l.bench.log.assign(kGroup, kEvents);
      if (i % 2 == 0) l.bench.settle();
    }
    l.bench.pass(seconds(3));
    CHECK(l.live());
    CHECK(l.bench.script.count("open") == l.bench.script.count("close") + 1);
    l.bench.log.revoke(kGroup, kEvents);
    l.bench.settle();
    CHECK(!l.live());
    CHECK(!l.bench.status().roles.at(0).assigned);
    // Without ownership it never claims again.
    const auto epoch = l.bench.epoch();
    l.bench.pass(seconds(10));
    CHECK(l.bench.epoch() == epoch);
  }
}

TEST_CASE("what is assigned again is claimed at once, and what a foreign claim took is not") {
  Live l;
  for (int i = 0; i < 3; ++i) {
    // As when one process after another leaves the group: nothing passes in between.
    l.bench.log.revoke(kGroup, kEvents);
    l.bench.settle();
    l.bench.foreign_claim(l.bench.epoch() + 1);
    l.bench.log.assign(kGroup, kEvents);
    l.bench.settle();
    CHECK(l.live());
  }
  l.bench.foreign_claim(l.bench.epoch() + 1);
  l.bench.settle();
  CHECK(!l.live());  // two that think it is theirs must not take turns at full speed
  l.bench.pass(seconds(3));
  CHECK(l.live());
}

TEST_CASE("a claim whose outcome arrives after the partition was taken away starts nothing") {
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  Bench bench(options);
  REQUIRE(bench.start().ok());
  bench.log.run();
  while (!bench.runtime->step(0)) bench.log.run();  // claims
  bench.log.revoke(kGroup, kEvents);
  bench.settle();
  CHECK(bench.script.seen.empty());
}

TEST_CASE("after an append of uncertain fate the role acts only under a new epoch") {
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  Live l(options);
  MemoryLogFaults refused;
  refused.refused = 1000;
  l.bench.log.set_faults(refused);
  Ended decided;
  l.role().propose(adopt_card(1), decided.done());
  l.bench.settle();
  REQUIRE(decided.times == 1);
  CHECK(decided.outcome.error.code == ErrorCode::unavailable);
  CHECK(!l.live());
  l.bench.log.set_faults({});
  l.bench.pass(seconds(5));
  CHECK(l.live());
  CHECK(l.bench.epoch() == 2);
}

TEST_CASE("what can't be written is the role's own fault and costs no epoch") {
  Live l;
  Proposal proposal = adopt_card(1);
  proposal.subject = std::string(300'000, 'x');
  Ended decided;
  l.role().propose(proposal, decided.done());
  l.bench.settle();
  REQUIRE(decided.times == 1);
  CHECK(decided.outcome.error.code == ErrorCode::invalid_argument);
  CHECK(l.live());
}

TEST_CASE("a claim with the digest of another fold stops the partition, the right one does not") {
  for (const bool right : {true, false}) {
    CAPTURE(right);
    Live l;
    const PartitionDigests now = l.bench.digests();
    OwnerClaimed claim{DeciderRole::billing, 2, "other", now.next.value - 1, {}};
    claim.digest.bytes = right ? *unhex(now.fold) : Bytes(32, 'x');
    const Position at = l.bench.append(kEvents, l.bench.event(claim));
    l.bench.settle();
    const std::string because = l.bench.runtime->not_ready_because();
    if (right) {
      CHECK(because.empty());
      CHECK(l.bench.epoch() == 2);
    } else {
      CHECK(because.find("differs from that of other") != std::string::npos);
      CHECK(l.bench.status().next == at);
      CHECK(!l.live());
      CHECK(l.bench.script.count("close") == 1);
    }
  }
}

TEST_CASE("a claim with the digest of another fold stops nothing where it is void") {
  Live l;
  const PartitionDigests now = l.bench.digests();
  const auto forged = [&](std::int64_t epoch) {
    return l.bench.event(
        OwnerClaimed{DeciderRole::billing, epoch, "forger", now.next.value - 1, {Bytes(32, 'x')}});
  };
  std::vector<Event> events{forged(-1), forged(0), forged(1), forged(3), forged(1'000'000)};
  events.push_back(forged(2));
  events.back().time = l.bench.clock.now() - hours(1);
  events.push_back(forged(2));
  events.back().time = l.bench.clock.now() + hours(1);
  events.push_back(forged(2));
  events.back().actor = an_operator();
  events.push_back(forged(2));
  events.back().id = events.front().id;
  for (const Event& event : events) l.bench.append(kEvents, event);
  l.bench.settle();
  CHECK(l.bench.runtime->not_ready_because().empty());
  CHECK(l.bench.status().next.value == now.next.value + static_cast<std::int64_t>(events.size()));
  CHECK(l.bench.epoch() == 1);
  CHECK(l.live());
}

TEST_CASE("two processes on one log never act at the same time by their own folds") {
  // Two runtimes, one group: the second takes over when the first one dies.
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  Live first(options);
  const auto connection = first.bench.log.connect();
  MemoryKvStore store;
  Script script;
  RuntimeOptions runtime_options;
  runtime_options.events_partitions = 1;
  runtime_options.threads = false;
  Runtime second(runtime_options, *connection, store, first.bench.clock, first.bench.random);
  second.add(std::make_unique<ScriptRole>(script));
  REQUIRE(second.start().ok());
  const auto settle = [&] {
    for (int i = 0; i < 50; ++i) {
      first.bench.settle();
      second.step(0);
    }
  };
  settle();
  CHECK(first.live());
  CHECK(script.live.empty());
  first.bench.log.revoke(kGroup, kEvents);
  settle();
  CHECK(!first.live());
  CHECK(script.live.size() == 1);
  CHECK(first.bench.epoch() == 2);
  Ended decided;
  script.live.at(kEvents)->propose(adopt_card(1), decided.done());
  settle();
  CHECK(decided.outcome.applied());
}
