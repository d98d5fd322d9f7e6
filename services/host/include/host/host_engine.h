// SPDX-License-Identifier: Apache-2.0
// The part of a host that executes: takes orders, runs them by a SandboxDriver, seals what came
// out, keeps it until it is applied, and reports. Where orders come from and reports go to is up to
// others: a launcher in this process (local_host.h), or several elsewhere (host_agent.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "config/languages.h"
#include "hosting/host.h"
#include "live_output/output_hub.h"
#include "sandbox/driver.h"

namespace sandtrail {

struct HostEngineOptions {
  HostId id;
  std::int64_t epoch = 0;  // higher at each start
  int slots = 2;
  std::vector<Language> languages;   // those found on this machine
  std::string address;               // of the data plane
  OutputHub* live_output = nullptr;  // gets what programs write; null: nobody does
  std::size_t kept_results_max = limits::kHostKeptResultsMax;
  std::size_t kept_bytes_max = limits::kHostKeptBytesMax;
};

struct HostCounts {
  int running = 0;
  std::size_t kept = 0;
  std::size_t kept_bytes = 0;
  bool draining = false;
  std::uint64_t launches = 0;  // of this process, as are those below
  std::uint64_t refusals = 0;
  std::uint64_t stale_orders = 0;  // dropped: of a replaced launcher, or for an earlier epoch
  std::uint64_t discarded = 0;     // runs that were ended because nobody renewed the host
};

// Thread-safe. The driver and the hub must outlive it. Its destructor ends what runs, and waits for
// that.
class HostEngine {
 public:
  // The connection that an order came by; 0 is none. The newest owner's is where reports about its
  // partition go.
  using Route = std::uint64_t;
  // Called without locks, on threads of the driver or of whoever gives orders. Reports of one
  // attempt come in order.
  using Sink = std::function<void(Route route, const HostReport& report)>;

  HostEngine(SandboxDriver& driver, Random& random, HostEngineOptions options);
  ~HostEngine();
  HostEngine(const HostEngine&) = delete;
  HostEngine& operator=(const HostEngine&) = delete;

  HostInfo info() const;
  // Returns once no call of the one before runs any more; so not from within one.
  void set_sink(Sink sink);

  // Orders of a replaced owner, and launches for another epoch of this host, are dropped.
  void launch(Route route, LaunchOrder order);
  void cancel(Route route, const OrderAuthority& by, const ExecutionId& execution,
              std::int64_t attempt);
  void acknowledge(Route route, const OrderAuthority& by, const ExecutionId& execution,
                   std::int64_t attempt);
  // What is held of the partition at the moment from which on older owners are refused. Nullopt:
  // this one is old.
  std::optional<std::vector<HeldAttempt>> take_over(Route route, const OrderAuthority& by);
  // Reports again what runs and what is kept of the partition.
  void resend(std::int32_t partition);

  bool holds(const ExecutionId& execution, std::int64_t attempt) const;
  // The result, while it is kept.
  std::optional<HostReport> kept(const ExecutionId& execution, std::int64_t attempt) const;
  // Slots taken by attempts whose owner's orders come by another route.
  int busy_elsewhere(Route route) const;
  HostCounts counts() const;

  // Launches nothing from now on: refuses.
  void drain();
  // Ends what runs and reports nothing of it, and launches nothing until begin_epoch(). What is
  // kept stays. Does not wait: see counts().running.
  void fence();
  // The number must be durable already. From now on launches are for this epoch.
  void begin_epoch(std::int64_t epoch);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with callbacks of the driver
};

}  // namespace sandtrail
