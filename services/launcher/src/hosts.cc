// SPDX-License-Identifier: Apache-2.0
#include "launcher/hosts.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail {
namespace {

bool has_language(const HostInfo& info, const std::string& language) {
  return language.empty() ||
         std::find(info.languages.begin(), info.languages.end(), language) != info.languages.end();
}

void run(const std::vector<std::function<void()>>& calls) {
  for (const auto& call : calls) call();
}

}  // namespace

Hosts::Hosts(const Clock& clock, bool joinable)
    : clock_(clock), joinable_(joinable), since_us_(clock.monotonic_us()) {}

void Hosts::add(Host& host) {
  join(std::shared_ptr<Host>(&host, [](Host*) {}));
}

void Hosts::join(std::shared_ptr<Host> host) {
  host->attach(*this);
  const HostInfo info = host->info();
  std::vector<OrderAuthority> owners;
  Calls tell;
  {
    const std::lock_guard lock(mutex_);
    hosts_[info.id] = {host, info, {}};
    if (hosts_.size() > limits::kHostsMax) forget_one_locked();
    for (const auto& [partition, listener] : listeners_) owners.push_back(listener.owner);
    tell = tell_all_locked(info.id);
  }
  for (const OrderAuthority& owner : owners) host->take_over(owner);
  run(tell);
}

void Hosts::gone(const std::shared_ptr<Host>& host, Departure departure) {
  const HostInfo info = host->info();
  Calls tell;
  {
    const std::lock_guard lock(mutex_);
    const auto found = hosts_.find(info.id);
    if (found == hosts_.end() || found->second.host != host) return;
    Entry& entry = found->second;
    entry.host = nullptr;
    entry.absence.since = clock_.now();
    if (departure == Departure::left) entry.absence.left_epoch = info.epoch;
    tell = tell_all_locked(info.id);
  }
  run(tell);
}

// The longest gone, so that strangers cannot make the list grow.
void Hosts::forget_one_locked() {
  auto oldest = hosts_.end();
  for (auto it = hosts_.begin(); it != hosts_.end(); ++it) {
    if (it->second.host != nullptr) continue;
    if (oldest == hosts_.end() || it->second.absence.since < oldest->second.absence.since) {
      oldest = it;
    }
  }
  if (oldest != hosts_.end()) hosts_.erase(oldest);
}

int Hosts::busy_locked(const HostId& host) const {
  const auto found = busy_.find(host);
  return found == busy_.end() ? 0 : found->second;
}

// The connected host with the most free slots; `free` counts those of all that would do.
Hosts::Entry* Hosts::best_locked(const std::string& language, int& free) {
  Entry* best = nullptr;
  int best_free = 0;
  for (auto& [id, entry] : hosts_) {
    if (entry.host == nullptr || !has_language(entry.info, language)) continue;
    const int free_here = entry.host->room() - busy_locked(id);
    if (free_here <= 0) continue;
    free += free_here;
    if (free_here <= best_free) continue;
    best = &entry;
    best_free = free_here;
  }
  return best;
}

std::optional<HostInfo> Hosts::reserve(std::int32_t partition, const std::string& language) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    int free = 0;
    Entry* best = best_locked(language, free);
    const auto place = std::find_if(line_.begin(), line_.end(), [partition](const Place& p) {
      return p.partition == partition;
    });
    const auto ahead = std::count_if(line_.begin(), place, [best](const Place& p) {
      return best != nullptr && has_language(best->info, p.language);
    });
    if (best != nullptr && free > ahead) {
      if (place != line_.end()) line_.erase(place);
      ++busy_[best->info.id];
      return best->info;
    }
    if (place == line_.end()) line_.push_back({partition, language});
    // There is one for somebody ahead, who takes it or leaves.
    if (best != nullptr) wake = wake_line_locked();
  }
  run(wake);
  return std::nullopt;
}

void Hosts::leave_line(std::int32_t partition) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    if (leave_line_locked(partition)) wake = wake_line_locked();
  }
  run(wake);
}

bool Hosts::leave_line_locked(std::int32_t partition) {
  return std::erase_if(line_, [partition](const Place& p) { return p.partition == partition; }) > 0;
}

Hosts::Calls Hosts::wake_line_locked() const {
  Calls wake;
  for (const Place& place : line_) {
    const auto found = listeners_.find(place.partition);
    if (found != listeners_.end()) wake.push_back(found->second.on_slot_free);
  }
  return wake;
}

Hosts::Calls Hosts::tell_all_locked(const HostId& host) const {
  Calls tell;
  for (const auto& [partition, listener] : listeners_) {
    tell.push_back([on_host = listener.on_host, host] { on_host(host); });
  }
  return tell;
}

void Hosts::occupy(const HostId& host) {
  const std::lock_guard lock(mutex_);
  ++busy_[host];
}

void Hosts::release(const HostId& host) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    const auto found = busy_.find(host);
    if (found != busy_.end() && --found->second == 0) busy_.erase(found);
    wake = wake_line_locked();
  }
  run(wake);
}

bool Hosts::may_support(const std::string& language) const {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (const auto& [id, entry] : hosts_) {
    if (has_language(entry.info, language)) return true;
    any = any || entry.host != nullptr;
  }
  if (!joinable_) return false;
  // Those that there are have had the time to come back since this process started.
  return !any || clock_.monotonic_us() - since_us_ < limits::kHostLease.count * 1000;
}

std::shared_ptr<Host> Hosts::find(const HostId& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : found->second.host;
}

std::optional<Hosts::Absence> Hosts::absence(const HostId& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return std::nullopt;
  return found->second.absence;
}

void Hosts::attach(Listener listener) {
  const std::lock_guard lock(mutex_);
  const std::int32_t partition = listener.owner.partition;
  listeners_[partition] = std::move(listener);
}

void Hosts::detach(std::int32_t partition) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    listeners_.erase(partition);
    if (leave_line_locked(partition)) wake = wake_line_locked();
  }
  run(wake);
}

void Hosts::take_over(std::int32_t partition) {
  std::vector<std::shared_ptr<Host>> hosts;
  OrderAuthority owner;
  {
    const std::lock_guard lock(mutex_);
    owner = listeners_.at(partition).owner;
    for (const auto& [id, entry] : hosts_) {
      if (entry.host != nullptr) hosts.push_back(entry.host);
    }
  }
  for (const auto& host : hosts) host->take_over(owner);
}

void Hosts::on_report(HostReport report) {
  std::function<void(HostReport)> sink;
  {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(report.partition);
    // Nobody is live there now: the host keeps the result, and whoever gets live asks for it.
    if (found == listeners_.end()) return;
    sink = found->second.on_report;
  }
  sink(std::move(report));
}

void Hosts::on_never_sent(std::int32_t partition, const ExecutionId& execution,
                          std::int64_t attempt) {
  std::function<void(const ExecutionId&, std::int64_t)> tell;
  {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(partition);
    if (found == listeners_.end()) return;
    tell = found->second.on_never_sent;
  }
  tell(execution, attempt);
}

void Hosts::on_taken_over(const HostId& host, std::int32_t partition) {
  std::function<void(const HostId&)> tell;
  {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(partition);
    if (found == listeners_.end()) return;
    tell = found->second.on_host;
  }
  tell(host);
}

void Hosts::on_room(const HostId&) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    wake = wake_line_locked();
  }
  run(wake);
}

std::vector<Hosts::Load> Hosts::load() const {
  const std::lock_guard lock(mutex_);
  std::vector<Load> out;
  for (const auto& [id, entry] : hosts_) {
    out.push_back(
        {entry.info, entry.host != nullptr, entry.host ? entry.host->room() : 0, busy_locked(id)});
  }
  return out;
}

}  // namespace sandtrail
