// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/limits.h"

namespace sandtrail::test {
namespace {

constexpr int kSlots = 4;
constexpr auto kWaitMax = std::chrono::seconds(60);
constexpr auto kPause = std::chrono::milliseconds(2);

}  // namespace

SandboxEvents Watch::events() {
  SandboxEvents events;
  events.on_started = [this] {
    const std::lock_guard lock(mutex_);
    order_ += 's';
  };
  events.on_output = [this](OutputStream which, std::int64_t offset, BytesView bytes) {
    const std::lock_guard lock(mutex_);
    auto& stream = streams_[which == OutputStream::out ? 0 : 1];
    if (!order_.ends_with('o')) order_ += 'o';
    stream.gapless = stream.gapless && offset == static_cast<std::int64_t>(stream.bytes.size());
    stream.after_over_cap = stream.after_over_cap || stream.over_cap > 0;
    stream.over_cap += bytes.empty() ? 1 : 0;
    stream.bytes += bytes;
  };
  events.on_exit = [this](SandboxExit exit) {
    const std::lock_guard lock(mutex_);
    order_ += 'e';
    exit_ = std::move(exit);
  };
  return events;
}

std::string Watch::order() const {
  const std::lock_guard lock(mutex_);
  return order_;
}

int Watch::started() const {
  const auto text = order();
  return static_cast<int>(std::count(text.begin(), text.end(), 's'));
}

int Watch::ended() const {
  const auto text = order();
  return static_cast<int>(std::count(text.begin(), text.end(), 'e'));
}

Watch::Stream Watch::stream(OutputStream stream) const {
  const std::lock_guard lock(mutex_);
  return streams_[stream == OutputStream::out ? 0 : 1];
}

SandboxExit Watch::exit() const {
  const std::lock_guard lock(mutex_);
  return exit_;
}

SandboxSpec plain_spec() {
  static SystemClock clock;
  static SystemRandom random;
  SandboxSpec spec;
  spec.execution = ExecutionId::fresh(clock, random);
  spec.stages = {{"run", {"true"}, true}};
  spec.limits.wall_ms = 20'000;
  spec.limits.memory_mib = 64;
  spec.limits.cpu_millis = 1000;
  spec.limits.processes = 32;
  spec.limits.disk_mib = 16;
  spec.limits.output_bytes = 1000;
  spec.limits.output_flood_bytes = 100'000;
  return spec;
}

SandboxExit Harness::run(const SandboxSpec& spec) {
  Watch watch;
  const auto handle = driver().launch(spec, watch.events());
  REQUIRE_MESSAGE(handle.ok(), (handle.ok() ? "" : handle.error().text()));
  REQUIRE(wait([&] { return watch.ended() == 1; }));
  return watch.exit();
}

SandboxExit Harness::run(Program program) {
  auto spec = plain_spec();
  this->program(spec, program);
  return run(spec);
}

FakeHarness::FakeHarness() {
  driver_ = std::make_unique<FakeDriver>(clock_, kSlots, [this](const SandboxSpec& spec) {
    for (const auto& [id, run] : runs_) {
      if (id == spec.execution) return run;
    }
    return FakeRun{};
  });
}

void FakeHarness::program(SandboxSpec& spec, Program program) {
  FakeRun run;
  const auto cap = static_cast<std::size_t>(spec.limits.output_bytes);
  switch (program) {
    case Program::prints_hello:
      run.out = "hello\n";
      break;
    case Program::exits_3:
      run.exit_code = 3;
      break;
    case Program::kills_itself:
      run.signal = SIGSEGV;
      break;
    case Program::runs_forever:
      run.end_after.reset();
      break;
    case Program::prints_and_runs_on:
      run.end_after.reset();
      run.writes = {{Millis{5}, OutputStream::out, "ready\n"},
                    {Millis{7}, OutputStream::err, "set\n"}};
      break;
    case Program::eats_memory:
      run.oom_kills = 1;
      run.signal = SIGKILL;
      break;
    case Program::forks_forever:
      run.process_limit_hits = limits::kForkRefusalsMax + 1;
      break;
    case Program::writes_cap:
      run.out.assign(cap, 'x');
      break;
    case Program::writes_over_cap:
      run.out.assign(cap + 1, 'x');
      break;
    case Program::floods:
      run.out.assign(cap, 'x');
      run.out_total_bytes = spec.limits.output_flood_bytes + 1;
      break;
    case Program::fails_to_compile:
      spec.stages = {{"compile", {"cc"}, false}, {"run", {"./a.out"}, true}};
      run.stage = "compile";
      run.exit_code = 1;
      run.err = "error\n";
      break;
  }
  runs_.emplace_back(spec.execution, run);
}

bool FakeHarness::wait(const std::function<bool()>& condition) {
  for (int turn = 0; turn < 1000; ++turn) {
    driver_->run_due();
    if (condition()) return true;
    const auto due_us = driver_->next_due_us();
    if (!due_us) return false;
    clock_.advance(Millis{(*due_us - clock_.monotonic_us() + 999) / 1000});
  }
  return false;
}

JailOptions jail_test_options() {
  JailOptions options;
  options.jailer_path = SANDTRAIL_BIN_DIR "/sandtrail-jailer";
  options.agent_path = SANDTRAIL_BIN_DIR "/sandtrail-agent";
  options.slots_max = kSlots;
  options.instance = "sandtrail-test-" + std::to_string(::getpid());
  options.uid_base = 300'000 + static_cast<std::uint32_t>(::getpid()) % 10'000 * 100;
  return options;
}

JailHarness::JailHarness(JailOptions options) {
  REQUIRE_MESSAGE(::geteuid() == 0, "the process jail can only be tested as root");
  auto driver = JailDriver::start(std::move(options), clock_);
  REQUIRE_MESSAGE(driver.ok(), (driver.ok() ? "" : driver.error().text()));
  driver_ = std::move(driver).value();
}

SandboxSpec JailHarness::shell(const std::string& script) {
  auto spec = plain_spec();
  spec.stages = {{"run", {"sh", "-c", script}, true}};
  return spec;
}

void JailHarness::program(SandboxSpec& spec, Program program) {
  const auto shell = [&](const std::string& script) {
    spec.stages = {{"run", {"sh", "-c", script}, true}};
  };
  const auto write = [&](std::int64_t bytes) {
    shell("head -c " + std::to_string(bytes) + " /dev/zero");
  };
  switch (program) {
    case Program::prints_hello:
      return shell("echo hello");
    case Program::exits_3:
      return shell("exit 3");
    case Program::kills_itself:
      return shell("kill -SEGV $$");
    case Program::runs_forever:
      return shell("while :; do sleep 1000; done");
    case Program::prints_and_runs_on:
      return shell("echo ready; echo set >&2; while :; do sleep 1000; done");
    case Program::eats_memory:
      return shell("exec tail /dev/zero");
    case Program::forks_forever:
      // A shell would give up at the first refusal.
      return shell("exec perl -e 'while (1) { fork }'");
    case Program::writes_cap:
      return write(spec.limits.output_bytes);
    case Program::writes_over_cap:
      return write(spec.limits.output_bytes + 1);
    case Program::floods:
      return write(spec.limits.output_flood_bytes * 1000);
    case Program::fails_to_compile:
      spec.stages = {{"compile", {"sh", "-c", "echo error >&2; exit 1"}, false},
                     {"run", {"true"}, true}};
      return;
  }
}

bool JailHarness::wait(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace sandtrail::test
