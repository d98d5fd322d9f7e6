// SPDX-License-Identifier: Apache-2.0
// What a program finds in the jail, and what becomes of all it starts.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "harness.h"
#include "sandbox/verdict.h"

using namespace sandtrail;
using namespace sandtrail::test;

TEST_CASE("a program gets its files, arguments, environment, input and work directory") {
  JailHarness harness;
  auto spec = plain_spec();
  spec.files = {{"main.sh", "cat data/in.txt; ./tool; echo \"$GREETING $1\"; cat; pwd; echo $HOME"},
                {"data/in.txt", "from a file\n"},
                {"tool", "#!/bin/sh\necho from a tool\n", true}};
  spec.stages = {{"run", {"sh", "main.sh", "first argument"}, true}};
  spec.environment = {{"GREETING", "hello"}, {"HOME", "/tmp"}};
  spec.stdin_bytes = "from stdin\n";
  const auto exit = harness.run(spec);
  CHECK(exit.out.kept ==
        "from a file\nfrom a tool\nhello first argument\nfrom stdin\n/work\n/tmp\n");
  CHECK(exit.err.kept.empty());
  CHECK(exit.exit_code == 0);
}

TEST_CASE("large files and input arrive whole") {
  JailHarness harness;
  auto spec = harness.shell("cksum < big; cksum; cksum < /dev/stdin");
  Bytes big(500'000, 'x');
  for (std::size_t i = 0; i < big.size(); i += 7) big[i] = static_cast<char>(i % 251);
  spec.files = {{"big", big, false}, {"empty", "", false}};
  spec.stdin_bytes = big;
  const auto exit = harness.run(spec);
  const auto& text = exit.out.kept;
  const auto line = text.find('\n') + 1;
  REQUIRE(text.size() >= 2 * line);
  CHECK(text.substr(0, line).ends_with(" 500000\n"));
  CHECK(text.substr(0, line) == text.substr(line, line));
}

TEST_CASE("only the stage that takes it gets the input") {
  JailHarness harness;
  auto spec = plain_spec();
  spec.stages = {{"compile", {"sh", "-c", "cat; echo -n c"}, false},
                 {"run", {"sh", "-c", "cat; echo -n r"}, true}};
  spec.stdin_bytes = "input ";
  const auto exit = harness.run(spec);
  CHECK(exit.out.kept == "cinput r");
  CHECK(exit.timings.compile_us > 0);
  CHECK(exit.timings.run_us > 0);
  CHECK(exit.timings.boot_us > 0);
}

TEST_CASE("what a compile stage leaves is there for the run stage, its processes are not") {
  JailHarness harness;
  auto spec = plain_spec();
  spec.stages = {{"compile", {"sh", "-c", "(trap '' TERM HUP; sleep 1000) & echo x > made"}, false},
                 {"run", {"sh", "-c", "cat made; set -- /proc/[0-9]*; echo $#"}, false}};
  const auto exit = harness.run(spec);
  // The shell alone: pid 1 is hidden from the program.
  CHECK(exit.out.kept == "x\n1\n");
}

TEST_CASE("a program that cannot be run ends as shells have it") {
  struct Row {
    const char* program;
    int code;
  };
  JailHarness harness;
  for (const auto& row : {Row{"no-such-program", 127}, Row{"./no-such-file", 127},
                          Row{"/etc/passwd", 126}, Row{"./text", 126}}) {
    CAPTURE(row.program);
    auto spec = plain_spec();
    spec.files = {{"text", "not a program", false}};
    spec.stages = {{"run", {row.program}, false}};
    const auto exit = harness.run(spec);
    CHECK(exit.exit_code == row.code);
    CHECK(exit.err.kept.starts_with("cannot run "));
  }
}

TEST_CASE("malformed specs are reported broken") {
  JailHarness harness;
  const auto broken = [&](auto change) {
    auto spec = plain_spec();
    change(spec);
    const auto exit = harness.run(spec);
    return exit.broken && exit.broken->code == ErrorCode::invalid_argument;
  };
  CHECK(broken([](SandboxSpec& s) { s.files = {{"../escape", "x", false}}; }));
  CHECK(broken([](SandboxSpec& s) { s.files = {{"/absolute", "x", false}}; }));
  CHECK(broken([](SandboxSpec& s) { s.files = {{"a//b", "x", false}}; }));
  CHECK(broken([](SandboxSpec& s) { s.files = {{std::string("a\0b", 3), "x", false}}; }));
  CHECK(broken([](SandboxSpec& s) { s.stages[0].argv = {}; }));
  CHECK(broken([](SandboxSpec& s) { s.stages[0].argv = {"true", std::string(70'000, 'x')}; }));
  CHECK(broken([](SandboxSpec& s) { s.environment = {{"A=B", "x"}}; }));
  CHECK(broken([](SandboxSpec& s) { s.limits.memory_mib = 0; }));
  CHECK(broken([](SandboxSpec& s) { s.limits.processes = 0; }));
}

TEST_CASE("files that do not fit the work directory break the launch, clearly") {
  JailHarness harness;
  auto spec = plain_spec();
  spec.limits.disk_mib = 1;
  for (int i = 0; i < 3; ++i) {
    spec.files.push_back({"file" + std::to_string(i), Bytes(500'000, 'x'), false});
  }
  const auto exit = harness.run(spec);
  REQUIRE(exit.broken);
  CHECK(exit.broken->code == ErrorCode::disk_full);
}

TEST_CASE("a grandchild that holds the output is ended, not waited for") {
  JailHarness harness;
  const auto exit = harness.run_shell("(trap '' HUP TERM; sleep 1000) & echo parent");
  CHECK(exit.exit_code == 0);
  CHECK(exit.out.kept == "parent\n");
  CHECK(exit.usage.wall_us < 10'000'000);
}

TEST_CASE("a fork refused and survived is evidence, not a verdict") {
  JailHarness harness;
  auto spec = harness.shell("sleep 5 & sleep 5 & sleep 5 & sleep 5 & exit 1");
  spec.limits.processes = 3;
  const auto exit = harness.run(spec);
  CHECK(exit.process_limit_hits > 0);
  const auto judgement = judge(exit);
  CHECK(judgement.verdict == Verdict::nonzero_exit);
}

TEST_CASE("the memory limit ends the whole sandbox even if a child alone was killed") {
  JailHarness harness;
  const auto exit = harness.run_shell("tail /dev/zero & wait; sleep 1000");
  CHECK(exit.oom_kills > 0);
  CHECK(judge(exit).verdict == Verdict::memory_limit);
}

TEST_CASE("CPU time and the peak of memory are the sandbox's own") {
  JailHarness harness;
  const auto idle = harness.run_shell("sleep 0.2");
  CHECK(idle.usage.cpu_us < 150'000);
  CHECK(idle.usage.memory_peak_bytes < 16 << 20);
  const auto busy = harness.run_shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
  CHECK(busy.usage.cpu_us > 50'000);
  const auto big = harness.run_shell("head -c 8388608 /dev/zero > file");
  CHECK(big.usage.memory_peak_bytes > 8 << 20);
}

TEST_CASE("the CPU limit holds back a program that spins") {
  JailHarness harness;
  auto spec = harness.shell("while :; do :; done");
  spec.limits.cpu_millis = 100;
  spec.limits.wall_ms = 1000;
  const auto exit = harness.run(spec);
  CHECK(exit.killed == KillReason::wall_time);
  CHECK(exit.usage.cpu_us < 400'000);
}

TEST_CASE("many sandboxes run side by side, each with its own output") {
  auto options = jail_test_options();
  options.slots_max = 16;
  JailHarness harness(options);
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 64; ++i) {
    const auto spec = harness.shell("echo " + std::to_string(i) + "; sleep 0.05");
    watches.push_back(std::make_unique<Watch>());
    REQUIRE(
        harness.wait([&] { return harness.driver().launch(spec, watches.back()->events()).ok(); }));
  }
  for (std::size_t i = 0; i < watches.size(); ++i) {
    REQUIRE(harness.wait([&] { return watches[i]->ended() == 1; }));
    CHECK(watches[i]->exit().out.kept == std::to_string(i) + "\n");
    CHECK(watches[i]->order() == "soe");
  }
}
