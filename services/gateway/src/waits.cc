// SPDX-License-Identifier: Apache-2.0
#include "waits.h"

#include "base/limits.h"

namespace sandtrail::gateway {
namespace {

// The execution that an event ends.
std::optional<ExecutionId> ended_by(const EventBody& body) {
  if (const auto* e = std::get_if<ExecutionFinished>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionRejected>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionCancelled>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionLost>(&body)) return e->execution;
  return std::nullopt;
}

}  // namespace

bool Waits::add(const ExecutionId& execution, Millis wait, http::Responder& responder,
                std::function<void()> over) {
  Id id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waits_.size() >= limits::kWaitersMax) return false;
    id = next_++;
    waits_[id] = {execution, 0, std::move(over)};
    by_execution_.emplace(execution, id);
  }
  const auto timer = timers_.after(wait, [this, id] {
    if (const auto run = take(id)) run();
  });
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = waits_.find(id); found != waits_.end()) found->second.timer = timer;
  }
  responder.on_closed([this, id] { take(id); });
  return true;
}

std::function<void()> Waits::take(Id id) {
  Wait wait;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waits_.find(id);
    if (found == waits_.end()) return {};
    wait = std::move(found->second);
    waits_.erase(found);
    const auto [first, last] = by_execution_.equal_range(wait.execution);
    for (auto at = first; at != last; ++at) {
      if (at->second != id) continue;
      by_execution_.erase(at);
      break;
    }
  }
  timers_.cancel(wait.timer);
  return std::move(wait.over);
}

void Waits::on_committed(const std::vector<Folded>& batch) {
  for (const Folded& folded : batch) {
    if (!folded.applied()) continue;
    const auto execution = ended_by(folded.event->body);
    if (!execution) continue;
    std::vector<Id> ids;
    {
      const std::lock_guard lock(mutex_);
      const auto [first, last] = by_execution_.equal_range(*execution);
      for (auto at = first; at != last; ++at) ids.push_back(at->second);
    }
    for (const Id id : ids) {
      if (const auto run = take(id)) run();
    }
  }
}

void Waits::stop() {
  std::vector<Id> ids;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [id, wait] : waits_) ids.push_back(id);
  }
  for (const Id id : ids) {
    if (const auto run = take(id)) run();
  }
}

std::size_t Waits::size() const {
  const std::lock_guard lock(mutex_);
  return waits_.size();
}

}  // namespace sandtrail::gateway
