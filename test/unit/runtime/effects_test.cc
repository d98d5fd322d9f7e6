// SPDX-License-Identifier: Apache-2.0
// Effects, decisions and timers of a live role.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "bench.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

struct Live {
  Live() {
    REQUIRE((bench.start().ok(), true));
    bench.settle();
  }
  RoleContext& role() {
    REQUIRE(bench.script.live.contains(kEvents));
    return *bench.script.live.at(kEvents);
  }
  std::size_t running() { return bench.status().roles.at(0).effects_running; }
  std::size_t parked() { return bench.status().roles.at(0).effects_parked; }
  void resolve(EffectAction action) {
    Proposal proposal;
    proposal.subject = "work";
    proposal.actor = an_operator();
    proposal.body = EffectResolved{DeciderRole::billing, "work", action};
    Ended ended;
    bench.runtime->propose(kEvents, proposal, ended.done());
    bench.settle();
    REQUIRE(ended.outcome.applied());
  }
  // Loses the partition and gets it again: another life of the role.
  void reopen() {
    bench.log.lose("sandtrail-billing", kEvents);
    bench.settle();
    REQUIRE(bench.script.live.empty());
    bench.log.assign("sandtrail-billing", kEvents);
    bench.pass(seconds(3));
    REQUIRE(bench.script.live.size() == 1);
  }
  Bench bench;
};

const Error kAway{ErrorCode::unavailable, "away", ""};
const Error kBroken{ErrorCode::internal, "broken", ""};

}  // namespace

TEST_CASE("one effect of an id runs at a time, and ends once") {
  Live l;
  int started = 0;
  std::vector<EffectDone> open;
  const Effect effect = [&](EffectDone done) {
    ++started;
    open.push_back(std::move(done));
  };
  l.role().effect("work", effect);
  l.role().effect("work", effect);
  l.role().effect("other", effect);
  CHECK(started == 2);
  CHECK(l.running() == 2);
  open[0]({});
  l.bench.settle();
  CHECK(l.running() == 1);
  l.role().effect("work", effect);
  CHECK(started == 3);
}

TEST_CASE("a retryable failure is repeated with growing pauses, for ever") {
  Live l;
  std::vector<std::int64_t> at;
  l.role().effect("work", [&](const EffectDone& done) {
    at.push_back(l.bench.clock.now().count);
    done(kAway);
  });
  for (int i = 0; i < 4000; ++i) {
    l.bench.clock.advance({50});
    l.bench.settle();
  }
  REQUIRE(at.size() > static_cast<std::size_t>(limits::kEffectTriesMax) + 2);
  CHECK(at[1] - at[0] <= 150);
  CHECK(at.back() - at[at.size() - 2] >= 15'000);
  CHECK(at.back() - at[at.size() - 2] <= 30'100);
  CHECK(l.parked() == 0);
}

TEST_CASE("an effect that keeps failing is parked; retry starts it again, skip never") {
  Live l;
  int tries = 0;
  bool broken = true;
  l.bench.script.on_resume = [&](RoleContext& role) {
    role.effect("work", [&](const EffectDone& done) {
      ++tries;
      broken ? done(kBroken) : done({});
    });
  };
  l.bench.script.on_resume(l.role());
  l.bench.pass(minutes(2));
  CHECK(tries == limits::kEffectTriesMax);
  CHECK(l.parked() == 1);
  CHECK(l.running() == 0);
  // Asked for again, it stays where it is, also in another life of the role.
  l.bench.script.on_resume(l.role());
  l.reopen();
  CHECK(tries == limits::kEffectTriesMax);

  l.resolve(EffectAction::retry);
  l.bench.pass(minutes(2));
  CHECK(tries == 2 * limits::kEffectTriesMax);
  CHECK(l.parked() == 1);

  l.resolve(EffectAction::skip);
  broken = false;
  l.bench.script.on_resume(l.role());
  l.reopen();
  CHECK(tries == 2 * limits::kEffectTriesMax);
  CHECK(l.parked() == 0);
}

TEST_CASE("what a lost life of the role completes late counts for nothing") {
  Live l;
  std::vector<EffectDone> open;
  int timers = 0;
  int guarded = 0;
  std::function<void()> guard;
  l.role().effect("work", [&](EffectDone done) { open.push_back(std::move(done)); });
  l.role().at(l.bench.clock.now() + seconds(1), "t", [&] { ++timers; });
  guard = l.role().guard([&] { ++guarded; });
  guard();
  l.bench.settle();
  CHECK(guarded == 1);
  l.reopen();
  l.role().effect("work", [&](EffectDone done) { open.push_back(std::move(done)); });
  CHECK(l.running() == 1);
  open[0]({});  // of the first life
  guard();
  l.bench.settle();
  CHECK(l.running() == 1);
  CHECK(guarded == 1);
  CHECK(timers == 0);
  open[1]({});
  l.bench.settle();
  CHECK(l.running() == 0);
  l.bench.stop();
  guard();
  open[1]({});
  CHECK(guarded == 1);
}

TEST_CASE("a decision is made again for each try, and not at all once it is not needed") {
  Live l;
  int asked = 0;
  std::int64_t version = 0;
  l.role().decide("card", [&]() -> std::optional<Proposal> {
    ++asked;
    return adopt_card(version);  // version 0 is void
  });
  l.bench.settle();
  CHECK(asked == 1);
  version = 1;
  l.bench.pass(seconds(1));
  CHECK(asked == 2);
  CHECK(l.bench.tally("tsandtrail.platform.adopted") == "2");
  CHECK(l.running() == 0);
  l.role().decide("card", [&]() -> std::optional<Proposal> {
    ++asked;
    return std::nullopt;
  });
  l.bench.settle();
  CHECK(asked == 3);
  CHECK(l.running() == 0);
}

TEST_CASE("a decision that is void again and again is parked, with the reason") {
  Live l;
  l.role().decide("work", []() -> std::optional<Proposal> { return adopt_card(0); });
  l.bench.pass(minutes(2));
  CHECK(l.parked() == 1);
  std::string error;
  REQUIRE(l.bench.runtime->query(kEvents, [&](const PartitionView& view) {
    error = view.state().parked.rows().begin()->second.error;
  }));
  l.bench.settle();
  CHECK(error.find("void: ") != std::string::npos);
}

TEST_CASE("effects over the limit wait for room and are asked for again") {
  Live l;
  const std::size_t wanted = limits::kEffectsInFlightMax + 100;
  std::size_t ended = 0;
  std::vector<bool> done_with(wanted);
  std::vector<EffectDone> open;
  l.bench.script.on_resume = [&](RoleContext& role) {
    for (std::size_t i = 0; i < wanted; ++i) {
      if (done_with[i]) continue;
      role.effect("work" + std::to_string(i), [&, i](const EffectDone& done) {
        open.push_back([&, i, done](const Status& status) {
          if (!done_with[i]) ++ended;
          done_with[i] = true;
          done(status);
        });
      });
    }
  };
  l.bench.script.on_resume(l.role());
  CHECK(l.running() == limits::kEffectsInFlightMax);
  for (int round = 0; round < 3; ++round) {
    for (const EffectDone& done : std::exchange(open, {})) done({});
    l.bench.settle();
  }
  CHECK(ended == wanted);
  CHECK(l.running() == 0);
}

TEST_CASE("timers run once when due, in order; a key has one timer; cancelled ones don't run") {
  Live l;
  std::vector<std::string> ran;
  const UnixMs now = l.bench.clock.now();
  const auto note = [&ran](std::string what) { return [&ran, what] { ran.push_back(what); }; };
  l.role().at(now + seconds(2), "b", note("b"));
  l.role().at(now + seconds(1), "a", note("a"));
  l.role().at(now + seconds(1), "gone", note("gone"));
  l.role().at(now + seconds(9), "c", note("c late"));
  l.role().at(now + seconds(3), "c", note("c"));
  l.role().cancel("gone");
  l.role().at(now - seconds(1), "past", note("past"));
  l.role().at(now + seconds(4), "again", [&] {
    ran.emplace_back("again");
    if (ran.size() < 7) l.role().at(l.bench.clock.now() + seconds(1), "again", note("last"));
  });
  l.bench.settle();
  CHECK(ran == std::vector<std::string>{"past"});
  l.bench.pass(seconds(20));
  CHECK(ran == std::vector<std::string>{"past", "a", "b", "c", "again", "last"});
}
