// SPDX-License-Identifier: Apache-2.0
// The hosts connected to this launcher, their free slots, and the way of reports to partitions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "event_log/record.h"
#include "launcher/host.h"

namespace sandtrail {

// Thread-safe. Hosts must outlive it.
class Hosts {
 public:
  explicit Hosts(std::function<TopicPartition(const OrgId&)> home) : home_(std::move(home)) {}

  void add(Host& host);

  // Takes a slot of the host with the most free ones that has the language (empty: any). Nullopt:
  // none is free now.
  std::optional<HostInfo> reserve(const std::string& language);
  // Counts a slot that an attempt from an earlier life of the role still takes.
  void occupy(const HostId& host);
  void release(const HostId& host);
  // False if no connected host has the language.
  bool supports(const std::string& language) const;
  // The host, if it is connected with this epoch.
  Host* find(const HostId& host, std::int64_t epoch) const;

  // True if the host is connected with a later epoch: whatever an earlier one ran is gone.
  bool replaced(const HostId& host, std::int64_t epoch) const;

  // What a partition's launcher wants to hear. Both are called on any thread.
  struct Listener {
    ReportSink on_report;
    std::function<void()> on_slot_free;
  };
  void attach(const TopicPartition& where, Listener listener);
  void detach(const TopicPartition& where);
  // Every host reports its kept results again.
  void resend();

  struct Load {
    HostInfo info;
    int busy = 0;
  };
  std::vector<Load> load() const;

 private:
  struct Entry {
    Host* host;
    HostInfo info;
    int busy = 0;
  };
  void dispatch(HostReport report);

  std::function<TopicPartition(const OrgId&)> home_;
  mutable std::mutex mutex_;
  std::vector<Entry> hosts_;
  std::map<TopicPartition, Listener> listeners_;
};

}  // namespace sandtrail
