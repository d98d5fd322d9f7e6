// SPDX-License-Identifier: Apache-2.0
// The contract of SandboxDriver, over every driver and the twin.
#include <doctest/doctest.h>

#include <csignal>
#include <memory>

#include "harness.h"
#include "sandbox/verdict.h"

using namespace sandtrail;
using namespace sandtrail::test;

#define DRIVERS FakeHarness, JailHarness

TEST_CASE_TEMPLATE("each way to end is reported as what it was", H, DRIVERS) {
  struct Row {
    const char* name;
    Program program;
    Verdict verdict;
    const char* cause;
  };
  const Row rows[] = {
      {"ok", Program::prints_hello, Verdict::ok, "exit_zero"},
      {"exit code", Program::exits_3, Verdict::nonzero_exit, "exit_code"},
      {"signal", Program::kills_itself, Verdict::signaled, "kernel_signal"},
      {"memory", Program::eats_memory, Verdict::memory_limit, "oom_kill"},
      {"fork bomb", Program::forks_forever, Verdict::process_limit, "process_flood"},
      {"flood", Program::floods, Verdict::output_limit, "output_flood"},
      {"compile", Program::fails_to_compile, Verdict::compile_error, "exit_code"},
  };
  H harness;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto exit = harness.run(row.program);
    const auto judgement = judge(exit);
    CHECK_MESSAGE(judgement.verdict == row.verdict, enum_text(judgement.verdict),
                  (exit.broken ? exit.broken->text() : exit.err.kept));
    CHECK(judgement.cause == row.cause);
  }
}

TEST_CASE_TEMPLATE("a finished program has its exit code, output and times", H, DRIVERS) {
  H harness;
  const auto exit = harness.run(Program::prints_hello);
  CHECK(exit.exit_code == 0);
  CHECK_FALSE(exit.signal);
  CHECK_FALSE(exit.broken);
  CHECK(exit.stage == "run");
  CHECK(exit.out.kept == "hello\n");
  CHECK(exit.out.total_bytes == 6);
  CHECK_FALSE(exit.out.truncated);
  CHECK(exit.usage.memory_peak_bytes > 0);
  CHECK(exit.usage.wall_us >= 0);
  CHECK_FALSE(exit.controls.empty());
}

TEST_CASE_TEMPLATE("output is kept up to the cap, counted past it, and the end is unharmed", H,
                   DRIVERS) {
  H harness;
  const auto exact = harness.run(Program::writes_cap);
  CHECK(exact.out.kept.size() == 1000);
  CHECK(exact.out.total_bytes == 1000);
  CHECK_FALSE(exact.out.truncated);
  const auto over = harness.run(Program::writes_over_cap);
  CHECK(over.out.kept.size() == 1000);
  CHECK(over.out.total_bytes == 1001);
  CHECK(over.out.truncated);
  CHECK(over.exit_code == 0);
}

TEST_CASE_TEMPLATE("output comes while the program runs", H, DRIVERS) {
  H harness;
  auto spec = plain_spec();
  harness.program(spec, Program::prints_and_runs_on);
  Watch watch;
  const auto handle = harness.driver().launch(spec, watch.events());
  REQUIRE(handle.ok());
  REQUIRE(harness.wait([&] {
    return watch.stream(OutputStream::out).bytes == "ready\n" &&
           watch.stream(OutputStream::err).bytes == "set\n";
  }));
  CHECK(watch.ended() == 0);
  handle.value()->stop(KillReason::cancelled);
  REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
  CHECK(watch.order() == "soe");
  CHECK(watch.exit().out.kept == "ready\n");
  CHECK(watch.exit().err.kept == "set\n");
}

TEST_CASE_TEMPLATE("the pieces of output make up what is kept, and the cap is told once", H,
                   DRIVERS) {
  struct Row {
    const char* name;
    Program program;
    int over_cap;
  };
  H harness;
  for (const auto& row :
       {Row{"hello", Program::prints_hello, 0}, Row{"cap", Program::writes_cap, 0},
        Row{"over", Program::writes_over_cap, 1}, Row{"flood", Program::floods, 1}}) {
    CAPTURE(row.name);
    auto spec = plain_spec();
    harness.program(spec, row.program);
    Watch watch;
    REQUIRE(harness.driver().launch(spec, watch.events()).ok());
    REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
    const auto out = watch.stream(OutputStream::out);
    CHECK(out.bytes == watch.exit().out.kept);
    CHECK(out.gapless);
    CHECK(out.over_cap == row.over_cap);
    CHECK_FALSE(out.after_over_cap);
    CHECK(watch.order() == "soe");
  }
}

TEST_CASE_TEMPLATE("a flood keeps no more than the cap", H, DRIVERS) {
  H harness;
  const auto exit = harness.run(Program::floods);
  CHECK(exit.killed == KillReason::output_flood);
  CHECK(exit.out.kept.size() == 1000);
  CHECK(exit.out.total_bytes > 100'000);
}

TEST_CASE_TEMPLATE("a stage that fails keeps the next from starting", H, DRIVERS) {
  H harness;
  const auto exit = harness.run(Program::fails_to_compile);
  CHECK(exit.stage == "compile");
  CHECK(exit.exit_code == 1);
  CHECK(exit.err.kept == "error\n");
}

TEST_CASE_TEMPLATE("a program that runs on is ended by the wall limit", H, DRIVERS) {
  H harness;
  auto spec = plain_spec();
  spec.limits.wall_ms = 200;
  harness.program(spec, Program::runs_forever);
  const auto exit = harness.run(spec);
  CHECK(exit.killed == KillReason::wall_time);
  CHECK(exit.usage.wall_us >= 200'000);
}

TEST_CASE_TEMPLATE("stop ends a program, and the first reason counts", H, DRIVERS) {
  H harness;
  auto spec = plain_spec();
  harness.program(spec, Program::runs_forever);
  Watch watch;
  const auto handle = harness.driver().launch(spec, watch.events());
  REQUIRE(handle.ok());
  REQUIRE(harness.wait([&] { return watch.started() == 1; }));
  handle.value()->stop(KillReason::cancelled);
  handle.value()->stop(KillReason::host_shutdown);
  REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
  CHECK(watch.exit().killed == KillReason::cancelled);
  CHECK(watch.order() == "se");
  handle.value()->stop(KillReason::cancelled);
  CHECK(harness.run(Program::prints_hello).exit_code == 0);
  CHECK(watch.order() == "se");
}

TEST_CASE_TEMPLATE("stop right after launch ends it too", H, DRIVERS) {
  H harness;
  auto spec = plain_spec();
  harness.program(spec, Program::runs_forever);
  Watch watch;
  const auto handle = harness.driver().launch(spec, watch.events());
  REQUIRE(handle.ok());
  handle.value()->stop(KillReason::cancelled);
  REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
  CHECK(watch.exit().killed == KillReason::cancelled);
}

TEST_CASE_TEMPLATE("one launch more than slots is refused, and possible after an end", H, DRIVERS) {
  H harness;
  const int slots = harness.driver().capabilities().slots_max;
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<std::shared_ptr<SandboxHandle>> handles;
  for (int i = 0; i < slots; ++i) {
    auto spec = plain_spec();
    harness.program(spec, Program::runs_forever);
    watches.push_back(std::make_unique<Watch>());
    auto handle = harness.driver().launch(spec, watches.back()->events());
    REQUIRE(handle.ok());
    handles.push_back(handle.value());
  }
  Watch refused;
  const auto handle = harness.driver().launch(plain_spec(), refused.events());
  REQUIRE_FALSE(handle.ok());
  CHECK(handle.error().code == ErrorCode::overloaded);
  CHECK(handle.error().retryable());
  for (const auto& running : handles) running->stop(KillReason::cancelled);
  for (const auto& watch : watches) REQUIRE(harness.wait([&] { return watch->ended() == 1; }));
  CHECK(harness.run(Program::prints_hello).exit_code == 0);
  CHECK(refused.order().empty());
}

TEST_CASE_TEMPLATE("a spec without stages is reported broken, not launched", H, DRIVERS) {
  H harness;
  auto spec = plain_spec();
  spec.stages.clear();
  const auto exit = harness.run(spec);
  REQUIRE(exit.broken);
  CHECK(exit.broken->code == ErrorCode::invalid_argument);
}

TEST_CASE_TEMPLATE("running sandboxes are not listed as left over, and cannot be reaped", H,
                   DRIVERS) {
  H harness;
  auto spec = plain_spec();
  harness.program(spec, Program::runs_forever);
  Watch watch;
  const auto handle = harness.driver().launch(spec, watch.events());
  REQUIRE(handle.ok());
  REQUIRE(harness.wait([&] { return watch.started() == 1; }));
  CHECK(harness.driver().list_owned().empty());
  const auto name = "sandtrail-" + spec.execution.text() + "-1";
  const auto reaped = harness.driver().reap(name);
  REQUIRE_FALSE(reaped.ok());
  CHECK(reaped.error().code == ErrorCode::conflict);
  handle.value()->stop(KillReason::cancelled);
  REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
}

TEST_CASE_TEMPLATE("the self-test passes, and dropping the driver ends what runs", H, DRIVERS) {
  Watch watch;
  {
    auto harness = std::make_unique<H>();
    CHECK(harness->driver().capabilities().slots_max == 4);
    auto spec = plain_spec();
    harness->program(spec, Program::runs_forever);
    REQUIRE(harness->driver().launch(spec, watch.events()).ok());
    REQUIRE(harness->wait([&] { return watch.started() == 1; }));
  }
  CHECK(watch.ended() == 1);
  CHECK(watch.exit().killed == KillReason::host_shutdown);
}
