// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "base/id.h"
#include "sandbox/fake_driver.h"
#include "sandbox/verdict.h"

using namespace sandtrail;

namespace {

struct World {
  ManualClock clock;
  SeededRandom random{1};
  std::string log;

  SandboxSpec spec() {
    SandboxSpec spec;
    spec.execution = ExecutionId::fresh(clock, random);
    spec.stages = {{"run", {"true"}, false}};
    spec.limits = {1000, 64, 1000, 8, 8, 100, 1000};
    return spec;
  }
  SandboxEvents events(const std::string& name) {
    SandboxEvents events;
    events.on_started = [this, name] { log += name + ":started "; };
    events.on_exit = [this, name](const SandboxExit& exit) {
      log += name + ":" + std::string(enum_text(judge(exit).verdict)) + " ";
    };
    return events;
  }
};

FakeScript always(const FakeRun& run) {
  return [run](const SandboxSpec&) { return run; };
}

}  // namespace

TEST_CASE("events come when the clock says so, in order of time") {
  World world;
  int launches = 0;
  FakeDriver driver(world.clock, 8, [&](const SandboxSpec&) {
    FakeRun run;
    run.start_after = Millis{10};
    run.end_after = Millis{launches++ == 0 ? 100 : 20};
    return run;
  });
  REQUIRE(driver.launch(world.spec(), world.events("a")).ok());
  REQUIRE(driver.launch(world.spec(), world.events("b")).ok());
  CHECK_FALSE(driver.run_due());
  CHECK(driver.next_due_us() == 10'000);
  world.clock.advance(Millis{10});
  CHECK(driver.run_due());
  CHECK(world.log == "a:started b:started ");
  world.clock.advance(Millis{1000});
  driver.run_due();
  CHECK(world.log == "a:started b:started b:ok a:ok ");
  CHECK(driver.running() == 0);
  CHECK_FALSE(driver.next_due_us());
}

TEST_CASE("scripted writes are given at their time, cut to the cap, before the end") {
  World world;
  FakeRun run;
  run.end_after = Millis{50};
  run.writes = {{Millis{10}, OutputStream::out, Bytes(60, 'a')},
                {Millis{10}, OutputStream::err, "warn"},
                {Millis{20}, OutputStream::out, Bytes(60, 'b')},
                {Millis{60}, OutputStream::out, "never"}};
  run.err = "bye";
  FakeDriver driver(world.clock, 8, always(run));
  auto events = world.events("x");
  events.on_output = [&](OutputStream stream, std::int64_t offset, BytesView bytes) {
    world.log += (stream == OutputStream::out ? "out@" : "err@") + std::to_string(offset) + "+" +
                 std::to_string(bytes.size()) + " ";
  };
  events.on_exit = [&](const SandboxExit& exit) {
    world.log += "end " + std::to_string(exit.out.kept.size()) + "/" +
                 std::to_string(exit.out.total_bytes) + " " + exit.err.kept;
  };
  REQUIRE(driver.launch(world.spec(), std::move(events)).ok());
  driver.run_due();
  CHECK(driver.next_due_us() == 10'000);
  world.clock.advance(Millis{10});
  driver.run_due();
  CHECK(world.log == "x:started out@0+60 err@0+4 ");
  world.clock.advance(Millis{40});
  driver.run_due();
  CHECK(world.log == "x:started out@0+60 err@0+4 out@60+40 out@100+0 err@4+3 end 100/120 warnbye");
}

TEST_CASE("explicit triggers end a sandbox at once") {
  World world;
  FakeRun endless;
  endless.end_after.reset();
  FakeDriver driver(world.clock, 8, always(endless));
  const auto first = world.spec();
  const auto second = world.spec();
  REQUIRE(driver.launch(first, world.events("a")).ok());
  REQUIRE(driver.launch(second, world.events("b")).ok());
  FakeRun end;
  end.exit_code = 1;
  CHECK_FALSE(driver.finish(first.execution, end));  // not started yet
  driver.run_due();
  CHECK(driver.finish(first.execution, end));
  CHECK(driver.fail(second.execution, Error{ErrorCode::unavailable, "gone", ""}));
  CHECK_FALSE(driver.fail(second.execution, Error{}));
  CHECK(world.log == "a:started b:started a:nonzero_exit b:internal_error ");
}

TEST_CASE("scripted refusals and broken launches are what they say") {
  World world;
  FakeRun refused;
  refused.refused = true;
  FakeDriver none(world.clock, 8, always(refused));
  CHECK(none.launch(world.spec(), {}).error().code == ErrorCode::overloaded);
  FakeRun broken;
  broken.broken = Error{ErrorCode::unavailable, "x", ""};
  FakeDriver driver(world.clock, 8, always(broken));
  REQUIRE(driver.launch(world.spec(), world.events("a")).ok());
  driver.run_due();
  CHECK(world.log == "a:internal_error ");
}

TEST_CASE("after a crash the running ones are left over, unreported, until they are reaped") {
  World world;
  FakeRun endless;
  endless.end_after.reset();
  FakeDriver driver(world.clock, 8, always(endless));
  const auto spec = world.spec();
  REQUIRE(driver.launch(spec, world.events("a")).ok());
  driver.run_due();
  driver.crash();
  world.clock.advance(seconds(100));
  driver.run_due();
  CHECK(world.log == "a:started ");
  const auto owned = driver.list_owned();
  REQUIRE(owned.size() == 1);
  CHECK(owned[0] == "sandtrail-" + spec.execution.text() + "-1");
  CHECK(driver.reap(owned[0]).ok());
  CHECK(driver.list_owned().empty());
}

TEST_CASE("a self-test can be made to fail") {
  World world;
  FakeDriver driver(world.clock, 1, always({}));
  CHECK(driver.self_test().ok());
  driver.set_self_test(Error{ErrorCode::unavailable, "no cgroup", ""});
  CHECK_FALSE(driver.self_test().ok());
}

TEST_CASE("one seed gives one story, another seed another") {
  const auto story = [](std::uint64_t seed) {
    World world;
    FakeDriver driver(world.clock, 300, seeded_script(seed, Millis{1200}));
    for (int i = 0; i < 300; ++i) {
      const auto name = std::to_string(i);
      if (!driver.launch(world.spec(), world.events(name)).ok()) world.log += name + ":refused ";
    }
    while (const auto due_us = driver.next_due_us()) {
      world.clock.advance(Millis{(*due_us - world.clock.monotonic_us() + 999) / 1000});
      driver.run_due();
    }
    return world.log;
  };
  const auto first = story(42);
  CHECK(first == story(42));
  CHECK(first != story(43));
  for (const char* end : {":ok", ":refused", ":timeout", ":memory_limit", ":internal_error",
                          ":signaled", ":nonzero_exit", ":output_limit", ":process_limit"}) {
    CAPTURE(end);
    CHECK(first.find(end) != std::string::npos);
  }
}
