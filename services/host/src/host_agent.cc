// SPDX-License-Identifier: Apache-2.0
#include "host/host_agent.h"

#include <algorithm>

#include "host_link.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

constexpr std::int64_t kEpochRetryUs = 1'000'000;

}  // namespace

struct HostAgent::Shared {
  explicit Shared(Millis fence) : lease(fence) {}
  HostLease lease;
  std::atomic<HostEngine::Route> routes{0};
};

HostAgent::HostAgent(HostAgentOptions options, HostEngine& engine, http::Client& client,
                     const Clock& clock, Random& random, NextEpoch next_epoch)
    : engine_(engine),
      clock_(clock),
      next_epoch_(std::move(next_epoch)),
      shared_(std::make_unique<Shared>(options.fence)) {
  for (const http::Url& launcher : options.launchers) {
    const HostLinkParts parts{engine,         client,       clock,          random,
                              shared_->lease, options.boot, shared_->routes};
    links_.push_back(std::make_shared<HostLink>(parts, launcher));
  }
  engine_.set_sink(
      [this](HostEngine::Route route, const HostReport& report) { on_report(route, report); });
}

HostAgent::~HostAgent() {
  engine_.set_sink({});
}

// Each link knows its own route.
void HostAgent::on_report(HostEngine::Route route, const HostReport& report) {
  for (const auto& link : links_) link->report(route, report);
  for (const auto& link : links_) link->room_changed();
}

void HostAgent::tick() {
  const std::int64_t now_us = clock_.boot_us();
  const bool counted_on = connected() > 0 || (!fenced_ && engine_.counts().running > 0);
  if (counted_on && !shared_->lease.valid(now_us)) fence(now_us);
  const bool may_join = !fenced_ || begin_again(now_us);
  for (const auto& link : links_) link->tick(now_us, may_join);
}

// Launchers count this host as gone soon, if they don't already. What finished stays, under the
// epoch in which it did.
void HostAgent::fence(std::int64_t now_us) {
  for (const auto& link : links_) link->abandon();
  const int running = engine_.counts().running;
  if (running == 0) return;  // nothing was started that others may start again
  log_error("no launcher has renewed this host in time: ending what it runs",
            {{"running", running}});
  ++fences_;
  engine_.fence();
  fenced_ = true;
  fenced_at_us_ = now_us;
  epoch_due_us_ = now_us;
}

// True once a new epoch has begun and nothing of the one before runs.
bool HostAgent::begin_again(std::int64_t now_us) {
  if (epoch_taken_ == 0 && now_us >= epoch_due_us_) {
    epoch_due_us_ = now_us + kEpochRetryUs;
    const auto epoch = next_epoch_();
    if (epoch.ok()) {
      epoch_taken_ = *epoch;
    } else {
      log_error("no new epoch can be taken; this host stays out", {{"error", epoch.error()}});
    }
  }
  if (epoch_taken_ == 0) return false;
  // A sandbox that the kernel cannot kill must not keep the host out for ever.
  const bool waited = now_us - fenced_at_us_ > limits::kHostKillWait.count * 1000;
  const int running = engine_.counts().running;
  if (running > 0 && !waited) return false;
  log_info("a new epoch begins", {{"epoch", epoch_taken_}, {"still_running", running}});
  engine_.begin_epoch(std::exchange(epoch_taken_, 0));
  fenced_ = false;
  return true;
}

void HostAgent::drain() {
  engine_.drain();
  for (const auto& link : links_) link->tell_load();
}

void HostAgent::leave() {
  for (const auto& link : links_) link->leave();
}

bool HostAgent::left() const {
  return std::all_of(links_.begin(), links_.end(), [](const auto& link) { return link->left(); });
}

std::size_t HostAgent::connected() const {
  return static_cast<std::size_t>(
      std::count_if(links_.begin(), links_.end(), [](const auto& link) { return link->joined(); }));
}

}  // namespace sandtrail
