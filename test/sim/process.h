// SPDX-License-Identifier: Apache-2.0
// One process with all roles, wired as services/sandtrail wires it, on twins and without threads.
#pragma once

#include <deque>
#include <memory>

#include "auditor/auditor_role.h"
#include "billing/billing_role.h"
#include "checkers.h"
#include "diary.h"
#include "http/loopback_network.h"
#include "launcher/remote_hosts.h"
#include "receivers.h"
#include "runtime/runtime.h"
#include "sealing/payload.h"
#include "sim_clock.h"
#include "sim_host.h"
#include "store/memory_key_store.h"
#include "store/memory_kv_store.h"
#include "store/memory_object_store.h"

namespace sandtrail::sim {

inline constexpr std::int32_t kEventsPartitions = 2;
inline constexpr std::size_t kPartitions = kEventsPartitions + 2;
inline constexpr MicroCredits kPrice{1000};

// What all processes share.
struct Shared {
  explicit Shared(std::uint64_t seed);

  const std::uint64_t seed;
  ManualClock clock;
  Diary diary{clock};
  SeededRandom random;
  bool slow_network = false;
  http::LoopbackNetwork network;
  MemoryLog log;
  MemoryKeyStore keys;
  MemoryObjectStore objects;
  Receivers receivers;
  SecretBytes root_key;
  std::unique_ptr<NoteSigner> signer;
  Problems problems;
  std::unique_ptr<MemoryLog> checkers_log;
  std::unique_ptr<Checkers> checkers;
};

// A place where a process runs, dies and is started again.
class Process {
 public:
  // `joinable`: no host of its own, those on machines join.
  Process(Shared& shared, int number, bool joinable);
  ~Process();

  void start();
  // kill -9: what it had begun is never answered. Its store keeps everything, unless the machine
  // dies as well.
  void kill(bool with_machine);
  bool up() const { return life_ != nullptr; }
  // It stands still, and goes on as if nothing had been.
  void stop(bool stopped);
  bool standing() const { return standing_; }
  std::string name() const { return "process" + std::to_string(number_); }
  std::string authority() const { return "launcher" + std::to_string(number_) + ":7080"; }
  // A partition stopped, so an operator would restart the process.
  bool stopped() const;

  // One unit of work, drawn by seed; false if there was none.
  bool step();
  // All there is. True if there was any.
  bool settle();

  Runtime& runtime() { return *life_->runtime; }
  Keyring& keyring() { return *life_->keyring; }
  Payloads& payloads() { return *life_->payloads; }
  SimHost& host() { return *life_->host; }
  bool has_host() const { return life_->host != nullptr; }
  Hosts& hosts() { return *life_->hosts; }
  SimClock& clock() { return clock_; }
  MemoryKvStore& store() { return store_; }
  // The worker pool hangs: what blocks on stores is not done.
  void stop_workers(bool stopped) { workers_stopped_ = stopped; }
  void set_host_faults(const HostFaults& faults);
  void compare_digests();

 private:
  struct Life {
    std::unique_ptr<MemoryLog> log;
    std::unique_ptr<Keyring> keyring;
    std::unique_ptr<Payloads> payloads;
    std::unique_ptr<Hosts> hosts;
    std::unique_ptr<SimHost> host;        // null: joinable
    std::unique_ptr<RemoteHosts> remote;  // null: not
    PlatformWatch platform;
    AuditWatch audit;
    std::deque<std::function<void()>> tasks;  // of the worker pool
    std::unique_ptr<Receivers::Line> line;
    std::unique_ptr<Runtime> runtime;
  };
  bool run_task();
  bool tick_outside();

  Shared& shared_;
  int number_;
  const bool joinable_;
  bool standing_ = false;
  HostId host_id_;
  std::int64_t host_epoch_ = 0;
  HostFaults host_faults_;
  bool workers_stopped_ = false;
  SimClock clock_;
  MemoryKvStore store_;
  std::unique_ptr<Life> life_;
};

// The projections that a process registers.
void add_projections(Runtime& runtime);

}  // namespace sandtrail::sim
