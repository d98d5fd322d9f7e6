// SPDX-License-Identifier: Apache-2.0
// A host on a machine of its own: takes orders from every launcher (hosting/protocol.h), and ends
// what it runs by itself when none of them has renewed it for limits::kHostFence.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "host/host_engine.h"
#include "http/client.h"

namespace sandtrail {

struct HostAgentOptions {
  std::vector<http::Url> launchers;  // scheme, host and port count
  std::string boot;                  // of this machine, for people
  Millis fence = limits::kHostFence;
};

// Thread-safe, but for tick() and leave(), which are for one thread. Before its end: leave(), then
// destroy the client, so that no answer comes any more; everything else given must outlive it.
class HostAgent {
 public:
  // Takes the next epoch, durable on return.
  using NextEpoch = std::function<Result<std::int64_t>()>;

  HostAgent(HostAgentOptions options, HostEngine& engine, http::Client& client, const Clock& clock,
            Random& random, NextEpoch next_epoch);
  ~HostAgent();
  HostAgent(const HostAgent&) = delete;
  HostAgent& operator=(const HostAgent&) = delete;

  // Joins, says that it lives, and notices that nobody answers. To be called at least ten times a
  // second, on one thread; blocks for the disk only when a new epoch is taken.
  void tick();
  // Takes no launches any more, and says so.
  void drain();
  // Says good-bye to every launcher; joins none again. After the engine has nothing left that runs.
  void leave();
  bool left() const;  // all have answered, or will not

  std::size_t connected() const;
  std::size_t launchers() const { return links_.size(); }
  // How often it ended what it ran because nobody renewed it.
  std::uint64_t fences() const { return fences_; }

 private:
  void on_report(HostEngine::Route route, const HostReport& report);
  void fence(std::int64_t now_us);
  bool begin_again(std::int64_t now_us);

  HostEngine& engine_;
  const Clock& clock_;
  const NextEpoch next_epoch_;
  struct Shared;
  std::unique_ptr<Shared> shared_;
  std::vector<std::shared_ptr<class HostLink>> links_;
  std::atomic<std::uint64_t> fences_{0};
  bool fenced_ = false;
  std::int64_t fenced_at_us_ = 0;
  std::int64_t epoch_taken_ = 0;  // durable, not begun yet
  std::int64_t epoch_due_us_ = 0;
};

}  // namespace sandtrail
