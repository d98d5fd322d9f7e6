// SPDX-License-Identifier: Apache-2.0
#include "host/host_runner.h"

#include "base/limits.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

constexpr auto kTick = std::chrono::milliseconds(50);
constexpr Millis kFarewell = seconds(2);

std::chrono::milliseconds chrono_of(Millis span) {
  return std::chrono::milliseconds(span.count);
}

}  // namespace

HostRunner::HostRunner(HostAgent& agent, HostEngine& engine, HostReaper& reaper)
    : agent_(agent), engine_(engine), reaper_(reaper) {
  agent_thread_ = std::thread([this] { run_agent(); });
  reaper_thread_ = std::thread([this] { run_reaper(); });
}

HostRunner::~HostRunner() {
  stop();
}

// Never waits for the driver: it has to notice in time that nobody renews this host.
void HostRunner::run_agent() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    lock.unlock();
    agent_.tick();
    lock.lock();
    changed_.wait_for(lock, kTick, [this] { return stopped_; });
  }
}

void HostRunner::run_reaper() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, chrono_of(limits::kOrphanAge), [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    reaper_.pass();
    lock.lock();
  }
}

bool HostRunner::wait_for(Millis most, const std::function<bool()>& what) {
  std::unique_lock lock(mutex_);
  for (std::int64_t waited = 0; waited < most.count; waited += kTick.count()) {
    if (what()) return true;
    changed_.wait_for(lock, kTick);
  }
  return what();
}

std::size_t HostRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return 0;
  }
  changed_.notify_all();
  reaper_thread_.join();
  agent_.drain();
  const auto idle = [this] { return engine_.counts().running == 0; };
  if (!wait_for(limits::kHostDrain, idle)) {
    log_warn("ending what still runs", {{"running", engine_.counts().running}});
    engine_.fence();
    wait_for(limits::kHostKillWait, idle);
  }
  wait_for(limits::kHostDeliver,
           [this] { return agent_.connected() == 0 || engine_.counts().kept == 0; });
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  agent_thread_.join();
  agent_.leave();
  wait_for(kFarewell, [this] { return agent_.left(); });
  return engine_.counts().kept;
}

}  // namespace sandtrail
