// SPDX-License-Identifier: Apache-2.0
// The hosts connected to this launcher, their free slots, and the way of their reports to the
// partitions that this process acts on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hosting/host.h"

namespace sandtrail {

// Thread-safe. Partitions are those of the topic `events`.
class Hosts final : public HostEvents {
 public:
  // `joinable`: hosts may join from elsewhere, so that none at hand does not mean that none will
  // be. The clock must outlive it.
  explicit Hosts(const Clock& clock, bool joinable = false);

  // A host that stays; it must outlive this.
  void add(Host& host);
  // A connection of a host; the later one takes the place of an earlier one of that id.
  void join(std::shared_ptr<Host> host);
  enum class Departure {
    lapsed,  // nothing was heard of it for its lease
    left,    // it said that nothing of its epoch is left there
  };
  // Nothing happens if another connection has taken its place.
  void gone(const std::shared_ptr<Host>& host, Departure departure);

  // Takes a slot of the host with the most free ones that has the language (empty: any). Nullopt:
  // none is free now, or others have waited for it longer. Then the partition stands in line until
  // it is granted one, or leaves; it is told when to try again.
  std::optional<HostInfo> reserve(std::int32_t partition, const std::string& language);
  // The partition waits for no slot any more.
  void leave_line(std::int32_t partition);
  // Counts a slot that an attempt from an earlier life of the role still takes.
  void occupy(const HostId& host);
  void release(const HostId& host);
  // False if no host has the language, and none that might is to be expected.
  bool may_support(const std::string& language) const;

  // The host, if it is connected.
  std::shared_ptr<Host> find(const HostId& host) const;
  // Of a host that is not.
  struct Absence {
    UnixMs since;                 // it lapsed or left then
    std::int64_t left_epoch = 0;  // nothing of this epoch and earlier ones is left there
  };
  std::optional<Absence> absence(const HostId& host) const;  // nullopt: never seen here

  // What a partition's launcher wants to hear, on any thread.
  struct Listener {
    OrderAuthority owner;
    std::function<void(HostReport)> on_report;
    std::function<void(const ExecutionId&, std::int64_t attempt)> on_never_sent;
    std::function<void(const HostId&)> on_host;  // it came, went, or answered take_over()
    std::function<void()> on_slot_free;
  };
  void attach(Listener listener);
  void detach(std::int32_t partition);
  // Every host hears of the owner, and reports again what it keeps of the partition. So does any
  // that joins later.
  void take_over(std::int32_t partition);

  void on_report(HostReport report) override;
  void on_never_sent(std::int32_t partition, const ExecutionId& execution,
                     std::int64_t attempt) override;
  void on_taken_over(const HostId& host, std::int32_t partition) override;
  void on_room(const HostId& host) override;

  struct Load {
    HostInfo info;
    bool connected = false;
    int room = 0;  // slots this launcher may count on
    int busy = 0;  // of those, taken by its attempts
  };
  std::vector<Load> load() const;

 private:
  struct Entry {
    std::shared_ptr<Host> host;  // null: not connected
    HostInfo info;
    Absence absence;
  };
  struct Place {
    std::int32_t partition = 0;
    std::string language;
  };
  using Calls = std::vector<std::function<void()>>;

  int busy_locked(const HostId& host) const;
  Entry* best_locked(const std::string& language, int& free);
  bool leave_line_locked(std::int32_t partition);
  Calls wake_line_locked() const;
  Calls tell_all_locked(const HostId& host) const;
  void forget_one_locked();

  const Clock& clock_;
  const bool joinable_;
  const std::int64_t since_us_;  // monotonic
  mutable std::mutex mutex_;
  std::map<HostId, Entry> hosts_;  // also those that are gone, a bounded number
  std::map<HostId, int> busy_;     // slots taken by attempts of this launcher's partitions
  std::map<std::int32_t, Listener> listeners_;
  // Partitions that got none, the longest waiting first. Without it a slot would go to who hears
  // first that it is free, which is who freed it, and a backlog there would starve the others.
  std::vector<Place> line_;
};

}  // namespace sandtrail
