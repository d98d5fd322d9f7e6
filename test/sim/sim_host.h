// SPDX-License-Identifier: Apache-2.0
// A host that runs nothing: what would happen to a program is drawn by seed. It keeps the contract
// of hosting/host.h, and uses all the room that it leaves: late, lost, repeated and withdrawn
// reports, refusals, crashes.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "hosting/host.h"

namespace sandtrail::sim {

struct HostFaults {
  unsigned refuses = 0;        // in a thousand, of launches
  unsigned loses_report = 0;   // of reports of a result: kept, and sent again later
  unsigned repeats = 0;        // of reports
  bool runs_to_limit = false;  // every program
  unsigned never_starts = 0;   // finishes without having said that it started
};

// A launch that the host really began.
struct Launch {
  ExecutionId execution;
  std::int64_t attempt = 0;
  HostId host;
  std::int64_t host_epoch = 0;
};

// Lives as long as one process: a restart makes another one with the next epoch. Not thread-safe.
class SimHost final : public Host {
 public:
  SimHost(HostId id, std::int64_t epoch, int slots, const Clock& clock, Random& random,
          std::function<void(const Launch&)> on_launch);

  HostInfo info() const override;
  int room() const override { return slots_; }
  void attach(HostEvents& events) override { events_ = &events; }
  void launch(LaunchOrder order) override;
  void cancel(const OrderAuthority& by, const ExecutionId& execution,
              std::int64_t attempt) override;
  void acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                   std::int64_t attempt) override;
  void take_over(const OrderAuthority& by) override;
  Holding holding(std::int32_t partition, const ExecutionId& execution,
                  std::int64_t attempt) const override;

  void set_faults(const HostFaults& faults) { faults_ = faults; }
  // Sends what is due by now.
  void tick();
  std::size_t kept() const { return kept_.size(); }
  // Programs that could not read their own input; must stay none.
  int unreadable() const { return unreadable_; }

 private:
  using Key = std::pair<ExecutionId, std::int64_t>;
  struct Running {
    LaunchOrder order;
    UnixMs started_at;
    UnixMs ends_at;
    bool cancelled = false;
  };

  bool chance(unsigned in_a_thousand);
  HostReport report_on(const LaunchOrder& order) const;
  void send_at(UnixMs when, HostReport report);
  void finish(const Key& key);
  bool holds(const Key& key) const { return running_.contains(key) || kept_.contains(key); }
  bool obeys(const OrderAuthority& by);
  void resend();

  HostId id_;
  std::int64_t epoch_;
  int slots_;
  const Clock& clock_;
  Random& random_;
  std::function<void(const Launch&)> on_launch_;
  HostFaults faults_;
  HostEvents* events_ = nullptr;
  std::map<std::int32_t, std::int64_t> owners_;  // newest epoch, by partition
  std::map<Key, std::string> refused_;
  std::map<Key, Running> running_;
  std::map<Key, HostReport> kept_;
  std::multimap<UnixMs, HostReport> outbox_;
  UnixMs resend_at_{};
  int unreadable_ = 0;
};

}  // namespace sandtrail::sim
