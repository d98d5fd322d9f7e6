// SPDX-License-Identifier: Apache-2.0
// What the contract suite needs of a driver under test: the same programs for each, and time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sandbox/driver.h"
#include "sandbox/fake_driver.h"
#include "sandbox_jail/jail_driver.h"

namespace sandtrail::test {

enum class Program {
  prints_hello,
  exits_3,
  kills_itself,  // SIGSEGV
  runs_forever,
  prints_and_runs_on,  // "ready\n" to stdout and "set\n" to stderr, then forever
  eats_memory,
  forks_forever,
  writes_cap,       // exactly limits.output_bytes to stdout
  writes_over_cap,  // one byte more
  floods,           // more than limits.output_flood_bytes to stdout
  fails_to_compile
};

// What a launch was told, in order. Thread-safe.
class Watch {
 public:
  SandboxEvents events();
  int started() const;
  int ended() const;
  std::string order() const;  // "s" started, "o" output, "e" ended; one "o" for each run of them
  SandboxExit exit() const;   // of the last on_exit

  // What on_output was given.
  struct Stream {
    Bytes bytes;
    bool gapless = true;  // each piece at the end of the one before
    int over_cap = 0;     // empty pieces
    bool after_over_cap = false;
  };
  Stream stream(OutputStream stream) const;

 private:
  mutable std::mutex mutex_;
  std::string order_;
  Stream streams_[2];
  SandboxExit exit_;
};

// Small limits that every program above but the hostile ones fits in.
SandboxSpec plain_spec();

class Harness {
 public:
  virtual ~Harness() = default;
  virtual SandboxDriver& driver() = 0;
  // Makes `spec` run `program` (before launch).
  virtual void program(SandboxSpec& spec, Program program) = 0;
  // Waits for a condition that callbacks bring about; false after a generous deadline.
  virtual bool wait(const std::function<bool()>& condition) = 0;

  SandboxExit run(const SandboxSpec& spec);
  SandboxExit run(Program program);
};

class FakeHarness final : public Harness {
 public:
  FakeHarness();
  SandboxDriver& driver() override { return *driver_; }
  void program(SandboxSpec& spec, Program program) override;
  bool wait(const std::function<bool()>& condition) override;

 private:
  ManualClock clock_;
  std::vector<std::pair<ExecutionId, FakeRun>> runs_;
  std::unique_ptr<FakeDriver> driver_;
};

JailOptions jail_test_options();

class JailHarness final : public Harness {
 public:
  explicit JailHarness(JailOptions options = jail_test_options());
  SandboxDriver& driver() override { return *driver_; }
  JailDriver& jail() { return *driver_; }
  void program(SandboxSpec& spec, Program program) override;
  bool wait(const std::function<bool()>& condition) override;
  // A shell script as the only stage.
  SandboxSpec shell(const std::string& script);
  SandboxExit run_shell(const std::string& script) { return run(shell(script)); }

 private:
  SystemClock clock_;
  std::unique_ptr<JailDriver> driver_;
};

}  // namespace sandtrail::test
