// SPDX-License-Identifier: Apache-2.0
// The jailer's loop: launches sandboxes on request, watches and reports them, and ends them all
// with the service. One thread, because it clones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "jail/cgroup.h"
#include "jail/jailer_protocol.h"
#include "jail/namespaces.h"
#include "jail/seccomp.h"
#include "options.h"

namespace sandtrail::jailer {

class Jailer {
 public:
  // Prepares everything that sandboxes share and gives up the host's file tree and network. The
  // error says what the host lacks.
  static Result<std::unique_ptr<Jailer>> prepare(const Options& options, const Clock& clock);

  jail::JailerReady ready() const;
  // Serves `control` (a SOCK_SEQPACKET) until its other end closes; then kills every sandbox,
  // removes its cgroups and returns.
  void serve(int control);

 private:
  struct Sandbox {
    std::uint32_t id = 0;
    std::uint32_t slot = 0;
    UniqueFd pidfd;
    UniqueFd errors;
    std::unique_ptr<jail::Cgroup> cgroup;
    std::int64_t deadline_us = 0;
    jail::JailerKill kill = jail::JailerKill::none;
  };

  explicit Jailer(const Clock& clock) : clock_(clock) {}
  Status set_up(const Options& options);
  int timeout_ms() const;
  bool receive(int control);  // false: the service is gone
  void handle(const jail::LaunchJail& request, UniqueFd channel);
  void handle(const jail::KillJail& request);
  void handle(const jail::ListJails& request);
  void handle(const jail::ReapJail& request);
  Result<Sandbox> launch(const jail::LaunchJail& request, const UniqueFd& channel);
  void watch();
  void kill(Sandbox& sandbox, jail::JailerKill reason);
  void bury(Sandbox& sandbox);
  void send(const jail::FromJailer& message);

  const Clock& clock_;
  int control_ = -1;
  UniqueFd agent_;
  std::vector<jail::UserNamespace> user_namespaces_;  // by slot
  std::uint32_t uid_base_ = 0;
  jail::SeccompPrograms seccomp_;
  std::unique_ptr<jail::CgroupTree> cgroups_;
  bool network_fresh_ = false;
  std::vector<Sandbox> sandboxes_;
  std::int64_t watch_due_us_ = 0;
};

}  // namespace sandtrail::jailer
