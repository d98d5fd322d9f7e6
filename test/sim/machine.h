// SPDX-License-Identifier: Apache-2.0
// A machine of its own that runs executions for every launcher: the real host, whose programs
// follow a script drawn by seed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/host_agent.h"
#include "host/host_engine.h"
#include "sandbox/fake_driver.h"
#include "sim_host.h"

namespace sandtrail::sim {

struct Shared;

class Machine {
 public:
  // `launchers` are the authorities where launchers listen.
  Machine(Shared& shared, int number, std::vector<std::string> launchers);
  ~Machine();

  void start();
  // Power off: nothing is said, everything that runs is gone.
  void kill();
  bool up() const { return life_ != nullptr; }
  // It stands still, and goes on as if nothing had been. Programs end meanwhile, unheard.
  void stop(bool stopped);
  bool stopped() const { return stopped_; }
  // Programs neither start nor end; the host lives.
  void hang(bool hanging) { hanging_ = hanging; }

  // One unit of work, drawn by seed.
  void step();
  // All there is.
  void settle();

  const std::string& name() const { return name_; }
  HostId id() const { return id_; }
  HostEngine& engine() { return *life_->engine; }
  HostAgent& agent() { return *life_->agent; }
  FakeDriver& driver() { return *life_->driver; }
  void set_faults(const HostFaults& faults) { faults_ = faults; }

 private:
  struct Life {
    std::unique_ptr<FakeDriver> driver;
    std::unique_ptr<HostEngine> engine;
    std::unique_ptr<http::Client> client;
    std::unique_ptr<HostAgent> agent;
  };
  FakeRun script(const SandboxSpec& spec);

  Shared& shared_;
  const std::string name_;
  const HostId id_;
  const std::vector<std::string> launchers_;
  std::int64_t epoch_ = 0;  // durable
  bool stopped_ = false;
  bool hanging_ = false;
  HostFaults faults_;
  std::unique_ptr<Life> life_;
};

}  // namespace sandtrail::sim
