// SPDX-License-Identifier: Apache-2.0
// The SandboxDriver port: runs one untrusted program in isolation and reports what really happened.
// Adapters: a process jail, later microVMs; and a scripted fake. test/contract/sandbox runs on all.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"

namespace sandtrail {

struct SandboxLimits {
  std::int64_t wall_ms = 0;             // from the start of the program to its end
  std::int64_t memory_mib = 0;          // whole sandbox, swap included
  std::int64_t cpu_millis = 0;          // 1000 = one core
  std::int64_t processes = 0;           // processes and threads at once
  std::int64_t disk_mib = 0;            // writable work directory (memory-backed, counts as memory)
  std::int64_t output_bytes = 0;        // kept of each stream; the rest is counted and dropped
  std::int64_t output_flood_bytes = 0;  // of one stream; past it the program is killed
};

struct SandboxFile {
  std::string path;  // relative to the work directory, no "..", no empty part
  Bytes content;
  bool executable = false;
};

// One program, run in stages (compile, then run): a stage starts if the one before exited 0.
struct SandboxStage {
  std::string name;               // "compile" or "run"
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  bool takes_stdin = false;
};

struct SandboxSpec {
  ExecutionId execution;
  std::int64_t attempt = 1;
  std::vector<SandboxFile> files;
  std::vector<SandboxStage> stages;  // at least one
  std::vector<std::pair<std::string, std::string>> environment;
  Bytes stdin_bytes;
  SandboxLimits limits;  // wall_ms covers all stages together
};

// Why the sandbox ended, in the order of precedence in which it is decided.
enum class KillReason { none, cancelled, wall_time, output_flood, process_flood, host_shutdown };

struct SandboxUsage {
  std::int64_t wall_us = 0;            // host's monotonic clock, start to end of the program
  std::int64_t cpu_us = 0;             // cgroup; of all processes of the sandbox
  std::int64_t memory_peak_bytes = 0;  // cgroup
};

struct SandboxTimings {
  std::int64_t boot_us = 0;  // launch() to the first instruction of the first stage
  std::int64_t compile_us = 0;
  std::int64_t run_us = 0;
};

struct SandboxOutput {
  Bytes kept;  // at most limits.output_bytes; the stages' output one after the other
  // Exact if the program ended by itself; of a killed one a lower bound, short by at most
  // limits::kGuestTotalStepBytes.
  std::int64_t total_bytes = 0;
  bool truncated = false;
};

// Facts, not judgements: verdicts are derived from them in one place (sandbox/verdict.h).
struct SandboxExit {
  KillReason killed = KillReason::none;
  std::optional<Error> broken;   // the driver or the host failed; nothing else is meaningful
  std::string stage;             // the stage that ended last
  std::optional<int> exit_code;  // of that stage's main process
  std::optional<int> signal;
  std::int64_t oom_kills = 0;           // processes the kernel killed for memory, cgroup's count
  std::int64_t process_limit_hits = 0;  // forks the kernel refused, cgroup's count
  SandboxUsage usage;
  SandboxTimings timings;
  SandboxOutput out;
  SandboxOutput err;
  std::vector<std::string> controls;          // applied: "cgroup.memory", "seccomp", "userns" …
  std::vector<std::string> controls_missing;  // asked for but not available on this host
};

enum class OutputStream { out, err };

struct SandboxEvents {
  // The program runs (its first instruction follows). At most once, before all others.
  std::function<void()> on_started;
  // What the program wrote, as it comes: of each stream in order, without gaps, from offset 0 on.
  // Before on_exit all of SandboxExit's `kept` has been given, and no more than that. Empty `bytes`
  // come once, as the last of a stream: the program went past the cap, and what follows is dropped.
  // The view is valid only during the call. Nothing waits for the receiver.
  std::function<void(OutputStream stream, std::int64_t offset, BytesView bytes)> on_output;
  // Exactly once, after every process of the sandbox is gone and its resources are removed.
  std::function<void(SandboxExit)> on_exit;
};

// A running sandbox. Dropping the handle does not stop it.
class SandboxHandle {
 public:
  virtual ~SandboxHandle() = default;
  // Idempotent, does not wait; the first reason counts.
  virtual void stop(KillReason reason) = 0;
};

struct DriverCapabilities {
  std::string name;          // "jail"
  std::string isolation;     // "process" or "vm"
  bool hard_limits = false;  // memory, processes and CPU enforced by the kernel
  int slots_max = 0;         // sandboxes at once
};

// Thread-safe. Callbacks run on a thread of the driver and must not block for long.
class SandboxDriver {
 public:
  virtual ~SandboxDriver() = default;
  virtual DriverCapabilities capabilities() const = 0;
  // Proves that the driver works here by running a trivial program; the error says what is missing.
  virtual Status self_test() = 0;
  // Returns at once. overloaded: all slots are taken, nothing was started. Every other failure
  // arrives by on_exit with `broken` set.
  virtual Result<std::shared_ptr<SandboxHandle>> launch(SandboxSpec spec, SandboxEvents events) = 0;
  // Names of resources on this host that an earlier process of ours left behind, and their removal.
  virtual std::vector<std::string> list_owned() = 0;
  virtual Status reap(const std::string& name) = 0;
};

}  // namespace sandtrail
