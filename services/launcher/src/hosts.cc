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

std::optional<HostInfo> Hosts::reserve(const std::string& language) {
  const std::lock_guard lock(mutex_);
  Entry* best = nullptr;
  for (Entry& entry : hosts_) {
    const int free = entry.info.slots - entry.busy;
    if (free <= 0 || !has_language(entry.info, language)) continue;
    if (best == nullptr || free > best->info.slots - best->busy) best = &entry;
  }
  if (best == nullptr) return std::nullopt;
  ++best->busy;
  return best->info;
}

void Hosts::occupy(const HostId& host) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : hosts_) {
    if (entry.info.id == host) ++entry.busy;
  }
}

void Hosts::release(const HostId& host) {
  std::vector<std::function<void()>> wake;
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : hosts_) {
      if (entry.info.id == host && entry.busy > 0) --entry.busy;
    }
    for (const auto& [where, listener] : listeners_) wake.push_back(listener.on_slot_free);
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
  const std::lock_guard lock(mutex_);
  listeners_.erase(where);
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
