// SPDX-License-Identifier: Apache-2.0
// Launch to reported end of /bin/true: the jail driver beside bubblewrap, turn by turn, so that
// both meet the same noise. Prints JSON lines as run.py says.
//
//   launch_bench [runs=200]
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sandbox_jail/jail_driver.h"

namespace {

using namespace sandtrail;

// `part` of the values are not above the result.
double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

void print(const char* name, const std::vector<double>& ours_ms,
           const std::vector<double>& bwrap_ms) {
  for (const int percent : {50, 99}) {
    std::printf(
        "{\"name\":\"%s, p%d\",\"unit\":\"ms\",\"value\":%.3f,"
        "\"baseline\":\"bwrap --unshare-all\",\"baseline_value\":%.3f}\n",
        name, percent, quantile(ours_ms, percent / 100.0), quantile(bwrap_ms, percent / 100.0));
  }
}

bool run_bwrap() {
  const char* argv[] = {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true", nullptr};
  pid_t pid = -1;
  if (::posix_spawn(&pid, "/usr/bin/bwrap", nullptr, nullptr, const_cast<char**>(argv), environ) !=
      0) {
    return false;
  }
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

SandboxExit run_jail(SandboxDriver& driver, const Clock& clock, Random& random) {
  SandboxSpec spec;
  spec.execution = ExecutionId::fresh(clock, random);
  spec.stages = {{"run", {"/bin/true"}, false}};
  spec.limits = {10'000, 64, 1000, 16, 16, 65'536, 1 << 20};
  std::promise<SandboxExit> ended;
  SandboxEvents events;
  events.on_exit = [&](SandboxExit exit) { ended.set_value(std::move(exit)); };
  if (!driver.launch(std::move(spec), std::move(events)).ok()) return {};
  return ended.get_future().get();
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 200;
  SystemClock clock;
  SystemRandom random;
  JailOptions options;
  options.jailer_path = SANDTRAIL_BIN_DIR "/sandtrail-jailer";
  options.agent_path = SANDTRAIL_BIN_DIR "/sandtrail-agent";
  options.instance = "sandtrail-bench-" + std::to_string(::getpid());
  auto driver = JailDriver::start(options, clock);
  if (!driver.ok()) {
    std::fprintf(stderr, "%s\n", driver.error().text().c_str());
    return 1;
  }
  std::vector<double> jail_ms;
  std::vector<double> boot_ms;
  std::vector<double> bwrap_ms;
  for (int i = 0; i < runs; ++i) {
    auto begin_us = clock.monotonic_us();
    const auto exit = run_jail(*driver.value(), clock, random);
    if (exit.exit_code != 0) {
      std::fprintf(stderr, "jail: %s\n", exit.broken ? exit.broken->text().c_str() : "failed");
      return 1;
    }
    jail_ms.push_back(static_cast<double>(clock.monotonic_us() - begin_us) / 1000);
    boot_ms.push_back(static_cast<double>(exit.timings.boot_us) / 1000);
    begin_us = clock.monotonic_us();
    if (!run_bwrap()) {
      std::fprintf(stderr, "bwrap failed\n");
      return 1;
    }
    bwrap_ms.push_back(static_cast<double>(clock.monotonic_us() - begin_us) / 1000);
  }
  print("jail, /bin/true: launch to reported end", jail_ms, bwrap_ms);
  print("jail, /bin/true: launch to program's start", boot_ms, bwrap_ms);
  return 0;
}
