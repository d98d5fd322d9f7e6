// SPDX-License-Identifier: Apache-2.0
// Every proposal ends exactly once, whatever the log answers.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "bench.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

BenchOptions stepped() {
  BenchOptions options;
  options.log.mode = MemoryLogOptions::Mode::stepped;
  options.role = false;
  return options;
}

Proposal any_organization(Bench& bench) {
  return create_organization(OrgId::fresh(bench.clock, bench.random));
}

}  // namespace

TEST_CASE("a proposal hears whether it was applied, and why not") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  const Proposal proposal = any_organization(bench);
  Ended first;
  Ended second;
  Ended wrong_topic;
  bench.runtime->propose(kEvents, proposal, first.done());
  bench.runtime->propose(kEvents, proposal, second.done());
  bench.runtime->propose(kPlatform, proposal, wrong_topic.done());
  CHECK(first.times == 0);
  bench.settle();
  REQUIRE(first.times + second.times + wrong_topic.times == 3);
  CHECK(first.outcome.applied());
  CHECK(second.outcome.folded);
  CHECK(second.outcome.judgement.reason == VoidReason::already_exists);
  CHECK(wrong_topic.outcome.judgement.reason == VoidReason::wrong_topic);
}

TEST_CASE("a proposal that the log refuses ends with that error") {
  struct Case {
    MemoryLogFaults faults;
    ErrorCode code;
  };
  MemoryLogFaults refused;
  refused.refused = 1000;
  MemoryLogFaults rejected;
  rejected.rejected = 1000;
  MemoryLogFaults overloaded;
  overloaded.overloaded = 1000;
  for (const Case& c : {Case{refused, ErrorCode::unavailable}, Case{rejected, ErrorCode::internal},
                        Case{overloaded, ErrorCode::overloaded}}) {
    CAPTURE(name_of(c.code));
    Bench bench(stepped());
    REQUIRE(bench.start().ok());
    bench.log.set_faults(c.faults);
    Ended ended;
    bench.runtime->propose(kEvents, any_organization(bench), ended.done());
    bench.settle();
    REQUIRE(ended.times == 1);
    CHECK(!ended.outcome.folded);
    CHECK(ended.outcome.error.code == c.code);
  }
}

TEST_CASE("an unknown outcome ends by the fold, or as dead when its age is past all doubt") {
  int by_fold = 0;
  int dead = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    BenchOptions options = stepped();
    options.log.seed = seed;
    options.log.faults.unknown = 1000;
    Bench bench(options);
    REQUIRE(bench.start().ok());
    Ended ended;
    const auto org = OrgId::fresh(bench.clock, bench.random);
    bench.runtime->propose(kEvents, create_organization(org), ended.done());
    bench.settle();
    if (ended.times == 0) {
      // Nothing of it is in the log; that much is certain only later.
      bench.pass(limits::kEventAgeMax);
      CHECK(ended.times == 0);
      bench.pass({limits::kClockSkewMax.count + 2000});
      REQUIRE(ended.times == 1);
      CHECK(ended.outcome.error.code == ErrorCode::unknown_outcome);
      ++dead;
    } else {
      REQUIRE(ended.times == 1);
      CHECK(ended.outcome.applied());
      ++by_fold;
    }
  }
  CHECK(by_fold > 0);
  CHECK(dead > 0);
}

TEST_CASE("a proposal is not called dead while the fold is behind the log") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  bench.settle();
  Ended ended;
  bench.runtime->propose(kEvents, any_organization(bench), ended.done());
  bench.log.run();  // it is in the log, and the runtime has not looked yet
  bench.clock.advance(minutes(10));
  bench.settle();
  REQUIRE(ended.times == 1);
  CHECK(ended.outcome.applied());
}

TEST_CASE("a proposal on a stalled log waits, and its late record is void") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.log.stall(true);
  Ended ended;
  bench.runtime->propose(kEvents, any_organization(bench), ended.done());
  bench.pass(minutes(3));
  bench.log.stall(false);
  bench.settle();
  REQUIRE(ended.times == 1);
  CHECK(!ended.outcome.applied());
}

TEST_CASE("proposals over the limit are refused at once") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  bench.log.stall(true);
  std::size_t ended = 0;
  std::size_t overloaded = 0;
  Proposal denied;
  denied.actor = an_operator();
  denied.body = PlatformAccessDenied{"a", "b", 1, {}, {}};
  for (std::size_t i = 0; i < limits::kPendingProposalsMax + 3; ++i) {
    bench.runtime->propose(kPlatform, denied, [&](const ProposalOutcome& outcome) {
      ++ended;
      if (!outcome.folded && outcome.error.code == ErrorCode::overloaded) ++overloaded;
    });
  }
  bench.settle();
  CHECK(ended == 3);
  CHECK(overloaded == 3);
  bench.runtime->stop();
  CHECK(ended == limits::kPendingProposalsMax + 3);
  CHECK(overloaded == 3);
}

TEST_CASE("a proposal that no record can hold is refused") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  Proposal proposal = any_organization(bench);
  proposal.subject = std::string(limits::kRecordBytesMax, 'x');
  Ended ended;
  bench.runtime->propose(kEvents, proposal, ended.done());
  bench.settle();
  REQUIRE(ended.times == 1);
  CHECK(ended.outcome.error.code == ErrorCode::invalid_argument);
}

TEST_CASE("stopping ends every proposal exactly once, also those that come during it and after") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.log.stall(true);
  Ended waiting[3];
  Ended chained;
  Ended after;
  bench.runtime->propose(kEvents, any_organization(bench), [&](const ProposalOutcome& outcome) {
    waiting[0].done()(outcome);
    bench.runtime->propose(kEvents, any_organization(bench), chained.done());
  });
  bench.runtime->propose(kEvents, any_organization(bench), waiting[1].done());
  bench.runtime->propose(kPlatform, any_organization(bench), waiting[2].done());
  bench.runtime->stop();
  for (const Ended& ended : waiting) {
    REQUIRE(ended.times == 1);
    CHECK(ended.outcome.error.code == ErrorCode::cancelled);
  }
  REQUIRE(chained.times == 1);
  CHECK(chained.outcome.error.code == ErrorCode::cancelled);
  bench.runtime->propose(kEvents, any_organization(bench), after.done());
  REQUIRE(after.times == 1);
  bench.log.stall(false);
  bench.log.run();
  bench.runtime->stop();
  CHECK(waiting[0].times + waiting[1].times + waiting[2].times + chained.times == 4);
}

TEST_CASE("a machine crash answers nobody twice and loses nothing acknowledged") {
  Bench bench(stepped());
  REQUIRE(bench.start().ok());
  bench.settle();
  std::vector<std::unique_ptr<Ended>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<Ended>());
    bench.runtime->propose(kEvents, any_organization(bench), all.back()->done());
  }
  for (int i = 0; i < 12; ++i) bench.log.step();
  for (int i = 0; i < 3; ++i) bench.runtime->step(0);
  int applied = 0;
  for (const auto& ended : all) applied += ended->outcome.applied() ? 1 : 0;
  bench.log.crash();
  bench.store.crash();
  bench.stop();
  for (const auto& ended : all) CHECK(ended->times == 1);
  const auto again = bench.log.connect();
  RuntimeOptions options;
  options.events_partitions = 1;
  options.threads = false;
  Runtime runtime(options, *again, bench.store, bench.clock, bench.random);
  REQUIRE(runtime.start().ok());
  std::size_t organizations = 0;
  while (runtime.step(0)) {
  }
  REQUIRE(runtime.query(
      kEvents, [&](const PartitionView& view) { organizations = view.state().orgs.size(); }));
  runtime.step(0);
  CHECK(organizations >= static_cast<std::size_t>(applied));
}
