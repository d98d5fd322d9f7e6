// SPDX-License-Identifier: Apache-2.0
// A log that is away for a while: nothing stops for good, and how old the fold is can be asked.
#include <doctest/doctest.h>

#include "bench.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const std::string kCreated = "tsandtrail.organization.created";

void create(Bench& bench) {
  Ended ended;
  bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                         ended.done());
  bench.settle();
  REQUIRE(ended.times == 1);
  REQUIRE(ended.outcome.applied());
}

}  // namespace

TEST_CASE("a start while the log is away can be repeated until it is there") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench);
  bench.stop();
  bench.log.cut(true);
  for (int i = 0; i < 2; ++i) {
    const Status status = i == 0 ? bench.start() : bench.runtime->start();
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().retryable());
  }
  CHECK(bench.runtime->not_ready_because() == "waiting for the log: the log is away (wait)");
  CHECK(bench.runtime->partitions().empty());
  CHECK(bench.runtime->status().empty());
  CHECK_FALSE(bench.runtime->query(kEvents, [](const PartitionView&) {}));
  Ended early;
  bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                         early.done());
  CHECK(early.times == 1);
  CHECK(early.outcome.error.code == ErrorCode::unavailable);
  bench.log.cut(false);
  REQUIRE(bench.runtime->start().ok());
  bench.settle();
  CHECK(bench.runtime->not_ready_because().empty());
  CHECK(bench.script.live.size() == 1);
  create(bench);
  CHECK(bench.tally(kCreated) == "2");
}

TEST_CASE("a log that is away for a while stops no partition, and what waits is folded then") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench);
  const auto other = bench.log.connect();
  CHECK(bench.runtime->behind(kEvents) == Millis{0});
  CHECK_FALSE(bench.runtime->away(kEvents).has_value());
  bench.log.cut(true);
  const UnixMs cut = bench.clock.now();
  Ended waits;
  bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                         waits.done());
  bench.pass(seconds(20));
  CHECK(waits.times == 0);
  CHECK(bench.status().stopped.empty());
  REQUIRE(bench.runtime->away(kEvents).has_value());
  CHECK(bench.runtime->away(kEvents)->since == cut);
  CHECK(bench.runtime->away(kEvents)->reason == "the log is away");
  CHECK(bench.runtime->away()->code == ErrorCode::unavailable);
  CHECK(bench.runtime->behind(kEvents) == seconds(20));
  CHECK(bench.status().behind == seconds(20));
  bench.log.cut(false);
  bench.pass(seconds(1));
  CHECK(waits.times == 1);
  CHECK(waits.outcome.applied());
  CHECK(bench.runtime->behind(kEvents) == Millis{0});
  CHECK_FALSE(bench.runtime->away().has_value());
  CHECK(bench.runtime->not_ready_because().empty());
}

TEST_CASE("a role whose append is refused claims anew when the log is back") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  const std::int64_t epoch = bench.epoch();
  MemoryLogFaults faults;
  faults.refused = 1000;
  bench.log.set_faults(faults);
  Ended refused;
  bench.script.live.at(kEvents)->propose(adopt_card(1), refused.done());
  bench.pass(seconds(10));
  CHECK(refused.times == 1);
  CHECK(refused.outcome.error.retryable());
  CHECK(bench.script.live.empty());
  CHECK(bench.status().stopped.empty());
  bench.log.set_faults({});
  bench.pass(seconds(3));
  CHECK(bench.script.live.size() == 1);
  CHECK(bench.epoch() == epoch + 1);
}

TEST_CASE("a full disk keeps nobody from reading: the fold is not behind") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.log.degrade(true);
  bench.pass(seconds(5));
  REQUIRE(bench.runtime->away(kEvents).has_value());
  CHECK(bench.runtime->away(kEvents)->code == ErrorCode::disk_full);
  CHECK(bench.runtime->behind(kEvents) == Millis{0});
}

TEST_CASE("what is not folded yet makes the fold as old as its log time, then its last tail") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.stop();
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.clock.advance(minutes(1));
  REQUIRE(bench.start().ok());
  // One step folds the record, the next one finds the tail.
  REQUIRE(bench.runtime->step(0));
  CHECK(bench.runtime->behind(kEvents) == minutes(1));
  bench.settle();
  CHECK(bench.runtime->behind(kEvents) == Millis{0});
}

TEST_CASE("a leave lets another process take over while this one goes on folding") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  REQUIRE(bench.script.live.size() == 1);
  bench.runtime->leave();
  bench.settle();
  CHECK(bench.script.live.empty());
  create(bench);
  CHECK(bench.tally(kCreated) == "1");
}

TEST_CASE("a process reports what is durable in its store, and knows when it passed a position") {
  Bench bench;
  bench.options.role = false;
  bench.options.group = "one";
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench);
  const Position first = bench.status().next;
  const UnixMs folded = bench.clock.now();
  bench.pass(seconds(3));
  CHECK(bench.log.reported()->at("one").at(kEvents) == first);
  create(bench);
  // The first record below `first` was passed when it was folded, the second when it was.
  const auto passed = bench.runtime->passed(kEvents, {first.value - 1});
  REQUIRE(passed.has_value());
  CHECK(*passed >= folded);
  CHECK(*passed - folded <= seconds(1));
  CHECK(*bench.runtime->passed(kEvents, first) == bench.clock.now());
  CHECK_FALSE(bench.runtime->passed(kEvents, first.next()).has_value());
  bench.pass(seconds(3));
  const Position next = bench.status().next;
  CHECK(bench.log.reported()->at("one").at(kEvents) == next);
  // What was reported survives the machine.
  bench.stop();
  bench.store.crash();
  bench.observer.seen.clear();
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.observer.seen.at(0) == "loaded " + std::to_string(next.value));
}

TEST_CASE("owners of all processes are known") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.foreign_claim(2);
  bench.settle();
  const auto owners = bench.status().owners;
  REQUIRE(owners.size() == 1);
  CHECK(owners[0].role == "billing");
  CHECK(owners[0].instance == "other");
  CHECK(owners[0].epoch == 2);
}
