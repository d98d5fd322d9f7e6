// SPDX-License-Identifier: Apache-2.0
// A whole simulated installation. One seed decides everything in it.
#pragma once

#include <memory>
#include <vector>

#include "machine.h"
#include "process.h"
#include "workload.h"

namespace sandtrail::sim {

class World {
 public:
  // `machines`: hosts on machines of their own, which join every process; 0: each process has a
  // host built in.
  World(std::uint64_t seed, int processes, int machines = 0);
  ~World();

  // All processes up, four tenants, everybody idle. One of them can pay for little.
  void begin();
  // Steps everything until nothing has work.
  void settle();
  // In pieces, settling after each; a long time in larger ones.
  void pass(Millis span);
  // Lets time pass until `done`, at most `most`.
  bool pass_until(const std::function<bool()>& done, Millis most);
  // Lives through `actions` of the workload among faults of every kind.
  void live_dangerously(int actions);
  // Faults stop, everything is up; waits until everything is over.
  void recover();
  // What must hold then; adds to the problems what does not.
  void check();
  // The machine dies with all processes.
  void lose_power();
  // A process that is up.
  Process& any();
  // One account of what happened: troubles and actions, then the records of whom the problems name.
  std::string story() const;

  Shared shared;
  Workload workload{shared};
  std::vector<std::unique_ptr<Process>> processes;
  std::vector<std::unique_ptr<Machine>> machines;
  std::vector<OrgId> orgs;
  int actions_lived = 0;  // of live_dangerously(), which ends with the first problem

 private:
  void tick();
  void restart(Process& process);
  void end_trouble();
  void make_trouble();
  void trouble_with_log();
  void trouble_with_processes();
  void trouble_with_ownership();
  void trouble_with_stores();
  void trouble_with_receivers();
  void trouble_with_machines();
  void heal_machines();
  void check_machines();
  bool happens(const std::string& kind, const std::string& detail = "") {
    return shared.diary.happens(kind, detail);
  }
  void check_payloads();
  void sweep_unbound_keys();
  void check_owners();
  void check_rebuild();

  // Streams of their own, so that leaving something out changes as little else as possible.
  SeededRandom order_;  // who works when
  SeededRandom dice_;   // what goes wrong
  bool stalled_ = false;
  bool held_ = false;
};

// The processes' roles whose partitions move.
std::vector<std::string> groups();
std::vector<TopicPartition> all_partitions();

}  // namespace sandtrail::sim
