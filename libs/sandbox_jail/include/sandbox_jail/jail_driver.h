// SPDX-License-Identifier: Apache-2.0
// The SandboxDriver whose isolation is a process jail: namespaces, cgroups, seccomp, a uid a slot.
// It keeps programs apart and bounded; it is no boundary against a kernel exploit.
//
// One thread serves all sandboxes; a helper process (sandtrail-jailer) starts them, and a static
// agent (sandtrail-agent) is pid 1 in each. If the helper dies, its sandboxes die with it, are
// reported broken, and it is started anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "sandbox/driver.h"

namespace sandtrail {

struct JailOptions {
  // Empty: sandtrail-jailer and sandtrail-agent beside the running program.
  std::string jailer_path;
  std::string agent_path;
  int slots_max = 8;  // 1 to limits::kJailSlotsMax
  // Sandboxes run as uids [uid_base, uid_base + 2 * slots_max) of the host, which nothing else may
  // use.
  std::uint32_t uid_base = 200'000;
  // Names the cgroup directory of this service's sandboxes; one running service each.
  std::string instance = "sandtrail";
};

// Thread-safe.
class JailDriver final : public SandboxDriver {
 public:
  // Starts the helper. The error says what the host lacks. `clock` must outlive the driver.
  static Result<std::unique_ptr<JailDriver>> start(JailOptions options, const Clock& clock);
  // Ends every sandbox (host_shutdown); returns after their on_exit.
  ~JailDriver() override;

  DriverCapabilities capabilities() const override;
  Status self_test() override;
  Result<std::shared_ptr<SandboxHandle>> launch(SandboxSpec spec, SandboxEvents events) override;
  std::vector<std::string> list_owned() override;
  Status reap(const std::string& name) override;

  // The helper's process id, for tests that kill it; changes with a restart.
  int jailer_pid() const;

 private:
  class Loop;
  explicit JailDriver(std::shared_ptr<Loop> loop);

  std::shared_ptr<Loop> loop_;
};

}  // namespace sandtrail
