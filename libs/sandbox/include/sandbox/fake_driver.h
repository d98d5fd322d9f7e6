// SPDX-License-Identifier: Apache-2.0
// The SandboxDriver's twin: runs nothing, follows a script, in the time of a ManualClock. For
// simulations and for tests of what stands above the port.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sandbox/driver.h"

namespace sandtrail {

// A piece of output of a program that goes on.
struct FakeWrite {
  Millis after{0};  // from the start; not before the write that stands before it
  OutputStream stream = OutputStream::out;
  Bytes bytes;
};

// What becomes of one launch. The limits of the spec apply to it as they would to a program.
struct FakeRun {
  bool refused = false;                         // launch() answers overloaded
  std::optional<Error> broken;                  // on_exit with this error, without on_started
  Millis start_after{0};                        // launch() to on_started
  std::optional<Millis> end_after = Millis{0};  // start to end; none: runs until it is stopped
  int exit_code = 0;
  std::optional<int> signal;  // instead of the exit code
  std::string stage;          // where it ends; empty: the spec's last
  std::int64_t oom_kills = 0;
  std::int64_t process_limit_hits = 0;  // past limits::kForkRefusalsMax a flood, and killed
  std::vector<FakeWrite> writes;        // those before its end happen
  Bytes out;  // what it writes at its end; all is cut and judged by the spec's limits
  Bytes err;
  std::int64_t out_total_bytes = 0;  // more than `out`, when it is too much to hold
  std::int64_t memory_peak_bytes = 1 << 20;
};

using FakeScript = std::function<FakeRun(const SandboxSpec&)>;

// Ends of every kind and delays up to `longest`, all from the seed and the order of launches.
FakeScript seeded_script(std::uint64_t seed, Millis longest);

// Thread-safe. Callbacks run in run_due(), finish() and fail(), on the caller's thread, outside of
// any lock.
class FakeDriver final : public SandboxDriver {
 public:
  FakeDriver(const Clock& clock, int slots_max, FakeScript script);
  ~FakeDriver() override;

  DriverCapabilities capabilities() const override;
  Status self_test() override;
  Result<std::shared_ptr<SandboxHandle>> launch(SandboxSpec spec, SandboxEvents events) override;
  std::vector<std::string> list_owned() override;
  Status reap(const std::string& name) override;

  // Delivers what the clock says is due, in order of time, then of launch. True if anything was.
  bool run_due();
  // When run_due() has something to do next (monotonic_us of the clock); nullopt: never.
  std::optional<std::int64_t> next_due_us() const;

  // Explicit triggers, whatever the script says. False if it is not running.
  bool finish(const ExecutionId& execution, const FakeRun& end);
  bool fail(const ExecutionId& execution, Error error);
  // The host dies: nothing is reported, and every running sandbox becomes a left-over for
  // list_owned(), as a successor of this process would find it.
  void crash();
  void set_self_test(Status result);
  int running() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace sandtrail
