// SPDX-License-Identifier: Apache-2.0
// What happens when a part of the jail dies: no process and no cgroup may outlive its keeper.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Live host processes of the uids that `options` gives to sandboxes; the dead ones wait for init.
int processes_of(const JailOptions& options) {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream status(entry.path() / "status");
    std::string word;
    char state = 'Z';
    while (status >> word && word != "Uid:") {
      if (word == "State:") status >> state;
    }
    if (state == 'Z' || state == 'X') continue;
    std::uint32_t uid = 0;
    if (!(status >> uid)) continue;
    const auto end = options.uid_base + 2 * static_cast<std::uint32_t>(options.slots_max);
    if (uid >= options.uid_base && uid < end) ++count;
  }
  return count;
}

// A process of its own that starts a driver, launches a sandbox that runs on, and waits.
pid_t start_service(const JailOptions& options, int report) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  SystemClock clock;
  auto driver = JailDriver::start(options, clock);
  if (!driver.ok()) ::_exit(1);
  Watch watch;
  auto spec = plain_spec();
  spec.stages = {{"run", {"sleep", "1000"}, false}};
  const auto handle = driver.value()->launch(spec, watch.events());
  while (handle.ok() && watch.started() == 0) ::usleep(1000);
  const int jailer = driver.value()->jailer_pid();
  (void)!::write(report, &jailer, sizeof jailer);
  for (;;) ::pause();
}

struct Service {
  pid_t pid = -1;
  int jailer = -1;

  explicit Service(const JailOptions& options) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    pid = start_service(options, pipe[1]);
    ::close(pipe[1]);
    REQUIRE(::read(pipe[0], &jailer, sizeof jailer) == sizeof jailer);
    ::close(pipe[0]);
  }
  void kill() const {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

}  // namespace

TEST_CASE("when the jailer is killed its sandboxes are reported broken and the next one runs") {
  const auto options = jail_test_options();
  JailHarness harness(options);
  auto spec = harness.shell("(trap '' TERM HUP; sleep 1000) & sleep 1000");
  Watch watch;
  const auto handle = harness.driver().launch(spec, watch.events());
  REQUIRE(handle.ok());
  REQUIRE(harness.wait([&] { return watch.started() == 1; }));
  CHECK(processes_of(options) >= 2);
  const int before = harness.jail().jailer_pid();
  ::kill(before, SIGKILL);
  REQUIRE(harness.wait([&] { return watch.ended() == 1; }));
  REQUIRE(watch.exit().broken);
  CHECK(watch.exit().broken->code == ErrorCode::unavailable);
  CHECK(processes_of(options) == 0);
  CHECK(harness.driver().list_owned().empty());
  CHECK(harness.run_shell("echo again").out.kept == "again\n");
  CHECK(harness.jail().jailer_pid() != before);
}

TEST_CASE("when the service is killed, the jailer ends its sandboxes and itself") {
  const auto options = jail_test_options();
  const Service service(options);
  CHECK(processes_of(options) >= 1);
  service.kill();
  JailHarness next(options);  // waits for the lock of its predecessor's jailer
  CHECK(next.wait([&] { return processes_of(options) == 0; }));
  CHECK(next.driver().list_owned().empty());
}

TEST_CASE("what is left when service and jailer are killed at once is found and reaped") {
  const auto options = jail_test_options();
  const Service service(options);
  ::kill(service.jailer, SIGKILL);
  service.kill();
  JailHarness next(options);
  CHECK(next.wait([&] { return processes_of(options) == 0; }));
  const auto owned = next.driver().list_owned();
  REQUIRE(owned.size() == 1);
  CHECK(owned[0].starts_with("sandtrail-exe_"));
  CHECK(next.driver().reap(owned[0]).ok());
  CHECK(next.driver().list_owned().empty());
  CHECK(next.driver().reap("sandtrail-none").ok());
  CHECK_FALSE(next.driver().reap("init.scope").ok());
}

TEST_CASE("a service that starts while its predecessor ends has an instance of its own") {
  const auto options = jail_test_options();
  for (int round = 0; round < 20; ++round) {
    JailHarness harness(options);
    const auto exit = harness.run(plain_spec());
    REQUIRE_FALSE(exit.broken);
  }
}

TEST_CASE("a second service of the same instance is refused") {
  const auto options = jail_test_options();
  JailHarness harness(options);
  SystemClock clock;
  const auto second = JailDriver::start(options, clock);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::conflict);
}

TEST_CASE("a missing helper is named in the error") {
  SystemClock clock;
  auto options = jail_test_options();
  options.jailer_path = "/nonexistent/sandtrail-jailer";
  auto driver = JailDriver::start(options, clock);
  REQUIRE_FALSE(driver.ok());
  CHECK(driver.error().message.find("sandtrail-jailer") != std::string::npos);
  options = jail_test_options();
  options.agent_path = "/nonexistent/sandtrail-agent";
  driver = JailDriver::start(options, clock);
  REQUIRE_FALSE(driver.ok());
  CHECK(driver.error().hint.find("sandtrail-agent") != std::string::npos);
}

TEST_CASE("without root the driver does not start, and says why") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setuid(65534) != 0) ::_exit(1);
    SystemClock clock;
    const auto driver = JailDriver::start(jail_test_options(), clock);
    const auto text = driver.ok() ? "started" : driver.error().text();
    (void)!::write(pipe[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(pipe[1]);
  char text[512] = {};
  CHECK(::read(pipe[0], text, sizeof text - 1) > 0);
  ::close(pipe[0]);
  ::waitpid(pid, nullptr, 0);
  CHECK(std::string(text).starts_with("denied: the process jail needs root"));
}
