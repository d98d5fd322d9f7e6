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
  // none is free now, or others have waited for it longer. Then `where` stands in line until it is
  // granted one, or leaves; it is told when to try again.
  std::optional<HostInfo> reserve(const TopicPartition& where, const std::string& language);
  // `where` waits for no slot any more.
  void leave_line(const TopicPartition& where);
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
  struct Place {
    TopicPartition where;
    std::string language;
  };
  using Calls = std::vector<std::function<void()>>;
  void dispatch(HostReport report);
  bool leave_line_locked(const TopicPartition& where);
  Calls wake_line_locked() const;

  std::function<TopicPartition(const OrgId&)> home_;
  mutable std::mutex mutex_;
  std::vector<Entry> hosts_;
  std::map<TopicPartition, Listener> listeners_;
  // Partitions that got none, the longest waiting first. Without it a slot would go to who hears
  // first that it is free, which is who freed it, and a backlog there would starve the others.
  std::vector<Place> line_;
};

}  // namespace sandtrail
