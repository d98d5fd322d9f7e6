// SPDX-License-Identifier: Apache-2.0
// Launch to reported end of /bin/true: the jail driver beside bubblewrap, turn by turn, so that
// both meet the same noise. Usage: bench_jail_launch [RUNS]. Prints figures, asserts nothing.
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

struct Figures {
  std::vector<double> ms;

  void print(const char* name) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double part) {
      return ms[static_cast<std::size_t>(part * static_cast<double>(ms.size() - 1))];
    };
    std::printf("%-28s p50 %6.2f  p90 %6.2f  p99 %6.2f  max %6.2f ms\n", name, at(0.5), at(0.9),
                at(0.99), ms.back());
  }
};

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
  Figures jail;
  Figures boot;
  Figures bwrap;
  for (int i = 0; i < runs; ++i) {
    auto begin_us = clock.monotonic_us();
    const auto exit = run_jail(*driver.value(), clock, random);
    if (exit.exit_code != 0) {
      std::fprintf(stderr, "jail: %s\n", exit.broken ? exit.broken->text().c_str() : "failed");
      return 1;
    }
    jail.ms.push_back(static_cast<double>(clock.monotonic_us() - begin_us) / 1000);
    boot.ms.push_back(static_cast<double>(exit.timings.boot_us) / 1000);
    begin_us = clock.monotonic_us();
    if (!run_bwrap()) {
      std::fprintf(stderr, "bwrap failed\n");
      return 1;
    }
    bwrap.ms.push_back(static_cast<double>(clock.monotonic_us() - begin_us) / 1000);
  }
  jail.print("jail: launch to on_exit");
  boot.print("jail: launch to started");
  bwrap.print("bwrap: spawn to exit");
  return 0;
}
