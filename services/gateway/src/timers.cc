// SPDX-License-Identifier: Apache-2.0
#include "timers.h"

#include <algorithm>
#include <vector>

namespace sandtrail::gateway {
namespace {

constexpr std::int64_t kIdleUsMax = 1'000'000;

}  // namespace

Timers::Timers(const Clock& clock, bool thread) : clock_(clock) {
  if (thread) thread_ = std::thread([this] { loop(); });
}

Timers::Id Timers::after(Millis span, std::function<void()> run) {
  const std::int64_t due = clock_.monotonic_us() + span.count * 1000;
  const std::lock_guard lock(mutex_);
  const Id id = next_++;
  if (stopped_) return id;
  const bool first = due_.empty() || due < due_.begin()->first.first;
  due_.emplace(std::pair(due, id), std::move(run));
  due_of_.emplace(id, due);
  if (first) changed_.notify_one();
  return id;
}

void Timers::cancel(Id id) {
  const std::lock_guard lock(mutex_);
  const auto found = due_of_.find(id);
  if (found == due_of_.end()) return;
  due_.erase({found->second, id});
  due_of_.erase(found);
}

void Timers::run_due() {
  std::vector<std::function<void()>> runs;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.monotonic_us();
    while (!due_.empty() && due_.begin()->first.first <= now) {
      due_of_.erase(due_.begin()->first.second);
      runs.push_back(std::move(due_.begin()->second));
      due_.erase(due_.begin());
    }
  }
  for (const auto& run : runs) run();
}

void Timers::loop() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stopped_) return;
      const std::int64_t now = clock_.monotonic_us();
      const std::int64_t next = due_.empty() ? now + kIdleUsMax : due_.begin()->first.first;
      const std::int64_t wait = std::clamp<std::int64_t>(next - now, 0, kIdleUsMax);
      if (wait > 0) changed_.wait_for(lock, std::chrono::microseconds(wait));
      if (stopped_) return;
    }
    run_due();
  }
}

void Timers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    due_.clear();
    due_of_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace sandtrail::gateway
