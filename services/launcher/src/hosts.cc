// SPDX-License-Identifier: Apache-2.0
#include "launcher/hosts.h"

#include <algorithm>

namespace sandtrail {
namespace {

bool has_language(const HostInfo& info, const std::string& language) {
  return language.empty() ||
         std::find(info.languages.begin(), info.languages.end(), language) != info.languages.end();
}

}  // namespace

void Hosts::add(Host& host) {
  {
    const std::lock_guard lock(mutex_);
    hosts_.push_back({&host, host.info(), 0});
  }
  host.set_report_sink([this](HostReport report) { dispatch(std::move(report)); });
}

std::optional<HostInfo> Hosts::reserve(const TopicPartition& where, const std::string& language) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    Entry* best = nullptr;
    std::ptrdiff_t free = 0;
    for (Entry& entry : hosts_) {
      const int free_here = entry.info.slots - entry.busy;
      if (free_here <= 0 || !has_language(entry.info, language)) continue;
      free += free_here;
      if (best == nullptr || free_here > best->info.slots - best->busy) best = &entry;
    }
    const auto place = std::find_if(line_.begin(), line_.end(),
                                    [&where](const Place& p) { return p.where == where; });
    const auto ahead = std::count_if(line_.begin(), place, [best](const Place& p) {
      return best != nullptr && has_language(best->info, p.language);
    });
    if (best != nullptr && free > ahead) {
      if (place != line_.end()) line_.erase(place);
      ++best->busy;
      return best->info;
    }
    if (place == line_.end()) line_.push_back({where, language});
    // There is one for somebody ahead, who takes it or leaves.
    if (best != nullptr) wake = wake_line_locked();
  }
  for (const auto& call : wake) call();
  return std::nullopt;
}

void Hosts::leave_line(const TopicPartition& where) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    if (leave_line_locked(where)) wake = wake_line_locked();
  }
  for (const auto& call : wake) call();
}

bool Hosts::leave_line_locked(const TopicPartition& where) {
  return std::erase_if(line_, [&where](const Place& p) { return p.where == where; }) > 0;
}

Hosts::Calls Hosts::wake_line_locked() const {
  Calls wake;
  for (const Place& place : line_) {
    const auto found = listeners_.find(place.where);
    if (found != listeners_.end()) wake.push_back(found->second.on_slot_free);
  }
  return wake;
}

void Hosts::occupy(const HostId& host) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : hosts_) {
    if (entry.info.id == host) ++entry.busy;
  }
}

void Hosts::release(const HostId& host) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : hosts_) {
      if (entry.info.id == host && entry.busy > 0) --entry.busy;
    }
    wake = wake_line_locked();
  }
  for (const auto& call : wake) call();
}

bool Hosts::supports(const std::string& language) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(hosts_.begin(), hosts_.end(), [&language](const Entry& entry) {
    return has_language(entry.info, language);
  });
}

Host* Hosts::find(const HostId& host, std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : hosts_) {
    if (entry.info.id == host && entry.info.epoch == epoch) return entry.host;
  }
  return nullptr;
}

bool Hosts::replaced(const HostId& host, std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const Entry& entry) {
    return entry.info.id == host && entry.info.epoch > epoch;
  });
}

void Hosts::attach(const TopicPartition& where, Listener listener) {
  const std::lock_guard lock(mutex_);
  listeners_[where] = std::move(listener);
}

void Hosts::detach(const TopicPartition& where) {
  Calls wake;
  {
    const std::lock_guard lock(mutex_);
    listeners_.erase(where);
    if (leave_line_locked(where)) wake = wake_line_locked();
  }
  for (const auto& call : wake) call();
}

void Hosts::resend() {
  std::vector<Host*> hosts;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : hosts_) hosts.push_back(entry.host);
  }
  for (Host* host : hosts) host->resend();
}

std::vector<Hosts::Load> Hosts::load() const {
  const std::lock_guard lock(mutex_);
  std::vector<Load> out;
  for (const Entry& entry : hosts_) out.push_back({entry.info, entry.busy});
  return out;
}

void Hosts::dispatch(HostReport report) {
  ReportSink sink;
  {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(home_(report.org));
    // Nobody is live there now: the host keeps the result, and whoever gets live asks for it.
    if (found == listeners_.end()) return;
    sink = found->second.on_report;
  }
  sink(std::move(report));
}

}  // namespace sandtrail
