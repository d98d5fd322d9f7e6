// SPDX-License-Identifier: Apache-2.0
// A wall clock that is set by a day, either way, while things are pending.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "bench.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const std::string kGroup = "sandtrail-billing";
const Error kAway{ErrorCode::unavailable, "away", ""};

// One process' clock; the log has its own.
class OwnClock final : public Clock {
 public:
  explicit OwnClock(const ManualClock& right) : right_(right) {}
  UnixMs now() const override { return right_.now() + offset; }
  std::int64_t monotonic_us() const override { return right_.monotonic_us(); }
  Millis offset;

 private:
  const ManualClock& right_;
};

// A process whose clock is its own, on the bench's log.
struct Site {
  explicit Site(MemoryLogOptions::Mode mode = MemoryLogOptions::Mode::immediate)
      : bench(options(mode)), clock(bench.clock) {
    RuntimeOptions runtime_options;
    runtime_options.events_partitions = 1;
    runtime_options.threads = false;
    runtime = std::make_unique<Runtime>(runtime_options, bench.log, store, clock, bench.random);
    runtime->add(std::make_unique<ScriptRole>(bench.script));
    REQUIRE(runtime->start().ok());
    settle();
  }
  static BenchOptions options(MemoryLogOptions::Mode mode) {
    BenchOptions out;
    out.log.mode = mode;
    return out;
  }
  void settle() {
    for (int idle = 0; idle < 2;) {
      bench.log.run();
      bool worked = false;
      for (std::size_t i = 0; i < runtime->partitions().size(); ++i) worked |= runtime->step(i);
      idle = worked ? 0 : idle + 1;
    }
  }
  void pass(Millis span) {
    for (std::int64_t left = span.count; left > 0; left -= 500) {
      bench.clock.advance({std::min<std::int64_t>(left, 500)});
      settle();
    }
  }
  void set(Millis offset) {
    clock.offset = offset;
    settle();
  }
  bool live() const { return bench.script.live.contains(kEvents); }
  RoleContext& role() {
    REQUIRE(live());
    return *bench.script.live.at(kEvents);
  }

  Bench bench;
  OwnClock clock;
  MemoryKvStore store;
  std::unique_ptr<Runtime> runtime;
};

}  // namespace

TEST_CASE("a process whose clock is a day off is not live, and is again once it is set right") {
  for (const Millis offset : {days(1), days(-1)}) {
    CAPTURE(offset.count);
    Site s;
    REQUIRE(s.live());
    s.set(offset);
    s.pass(seconds(30));
    CHECK(!s.live());  // its claims are void: ahead or stale
    s.set({});
    s.pass(seconds(3));
    CHECK(s.live());
  }
}

TEST_CASE("a claim that was made by another time starts nothing") {
  Site s(MemoryLogOptions::Mode::stepped);
  REQUIRE(s.live());
  s.bench.log.lose(kGroup, kEvents);
  s.settle();
  s.bench.log.assign(kGroup, kEvents);
  while (s.bench.log.step()) {
  }
  s.runtime->step(0);  // claims
  s.bench.log.run();
  const int opened = s.bench.script.count("open");
  s.clock.offset = days(1);
  s.settle();  // folds the claim
  CHECK(s.bench.script.count("open") == opened);
  s.set({});
  s.pass(seconds(3));
  CHECK(s.live());
}

TEST_CASE("timers and pauses that a wrong clock has set do not outlive it") {
  for (const Millis offset : {days(1), days(-1)}) {
    CAPTURE(offset.count);
    Site s;
    int tries = 0;
    int due = 0;
    s.bench.script.on_resume = [&](RoleContext& role) {
      role.effect("work", [&](const EffectDone& done) { ++tries, done(kAway); });
      role.at(role.now() + seconds(10), "soon", [&] { ++due; });
    };
    s.bench.script.on_resume(s.role());
    s.settle();
    s.set(offset);
    s.pass(seconds(5));
    s.set({});
    s.pass(seconds(1));
    const int before = tries;
    s.pass(seconds(40));
    CHECK(tries > before);
    CHECK(due >= 1);
  }
}

TEST_CASE("a log whose time jumps ahead by a day ends timers; set back, nobody acts for that day") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  int due = 0;
  bench.script.on_resume = [&](RoleContext& role) {
    role.at(bench.clock.now() + hours(1), "later", [&due] { ++due; });
  };
  bench.script.on_resume(*bench.script.live.at(kEvents));
  bench.clock.jump(days(1));
  bench.settle();
  bench.pass(seconds(3));
  REQUIRE(bench.script.live.size() == 1);  // claimed by the new time
  bench.clock.jump(days(-1));
  bench.settle();
  CHECK(bench.script.live.empty());
  CHECK(bench.runtime->not_ready_because().find("clock") != std::string::npos);
  bench.pass(minutes(1));
  CHECK(bench.script.live.empty());
  bench.clock.advance(days(1));
  bench.pass(seconds(3));
  CHECK(bench.script.live.size() == 1);
  CHECK(bench.runtime->not_ready_because().empty());
  bench.pass(hours(2));
  CHECK(due >= 1);
}

TEST_CASE("a reader that waits for a position waits no longer because the clock was set back") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  int missed = 0;
  REQUIRE(bench.runtime->query_at(
      kEvents, {50}, seconds(2),
      [&missed](const PartitionView&, bool reached) { missed += reached ? 0 : 1; }));
  bench.settle();
  bench.clock.jump(days(-1));
  bench.pass(seconds(1));
  CHECK(missed == 0);
  bench.pass(seconds(2));
  CHECK(missed == 1);
}

TEST_CASE("a proposal of unknown fate ends in time though the clock was set, and not before") {
  for (const Millis offset : {days(1), days(-1)}) {
    CAPTURE(offset.count);
    Site s(MemoryLogOptions::Mode::stepped);
    s.bench.log.stall(true);
    Ended ended;
    s.runtime->propose(kEvents, create_organization(OrgId::fresh(s.clock, s.bench.random)),
                       ended.done());
    s.settle();
    s.clock.offset = offset;
    s.pass(limits::kEventAgeMax);
    CHECK(ended.times == 0);
    s.pass(Millis{limits::kClockSkewMax.count + 2000});
    REQUIRE(ended.times == 1);
    CHECK(ended.outcome.error.code == ErrorCode::unknown_outcome);
    s.bench.log.stall(false);
    s.settle();
    CHECK(ended.times == 1);
  }
}
