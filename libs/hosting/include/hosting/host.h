// SPDX-License-Identifier: Apache-2.0
// The Host port: runs executions for launchers. A launcher sees every host by it, built in or on a
// machine of its own.
//
// A host decides its own capacity: it may refuse, and then never launches that attempt. It keeps a
// finished result until a launcher acknowledges that it is applied. A restarted host has a new
// epoch and never launches work of an older one. It launches no attempt twice, and one that it
// refused it refuses again.
//
// Orders carry the epoch of the launcher that owns the partition. A host drops orders of an older
// epoch than the newest it has seen for that partition, without a word: whoever gave them has been
// replaced, and another may have given the same order since.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "crypto/secret.h"
#include "domain/event.h"

namespace sandtrail {

struct HostInfo {
  HostId id;
  std::int64_t epoch = 0;
  std::string address;                 // of its data plane; empty for the built-in host
  int slots = 0;                       // executions at once
  std::string isolation;               // "process" or "vm"
  std::vector<std::string> languages;  // found there
};

// By what right an order is given.
struct OrderAuthority {
  std::int32_t partition = 0;    // of the topic `events`
  std::int64_t owner_epoch = 0;  // of the launcher's claim there
};

// What a host needs to run one attempt. It gets the one data key, never another.
struct LaunchOrder {
  OrderAuthority by;
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  std::string language;  // empty: the input holds a command
  ExecutionLimits limits;
  SealedPayload input;  // inline; purpose "input"
  SecretBytes key;
};

// A host's word about an attempt. `finished` carries its payload inline, sealed under the
// execution's key with purpose "output" and the attempt's number as name.
struct HostReport {
  std::int32_t partition = 0;
  ExecutionId execution;
  std::int64_t attempt = 0;
  HostId host;
  std::variant<ExecutionRefused, ExecutionStarted, ExecutionFinished> what;
  // What it takes of a budget of memory, while any copy lives. May be null.
  std::shared_ptr<const void> memory;
};

// An attempt that a host runs, or whose result it keeps.
struct HeldAttempt {
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  bool kept = false;
};

// What a launcher hears of its hosts. Called on any thread, without locks of the host held.
class HostEvents {
 public:
  virtual ~HostEvents() = default;
  virtual void on_report(HostReport report) = 0;
  // The order to launch this attempt has never left this process, and never will.
  virtual void on_never_sent(std::int32_t partition, const ExecutionId& execution,
                             std::int64_t attempt) = 0;
  // The host answered take_over(): holding() is certain for the partition now.
  virtual void on_taken_over(const HostId& host, std::int32_t partition) = 0;
  // room() may have grown.
  virtual void on_room(const HostId& host) = 0;
};

enum class Holding {
  no,       // and no order given before take_over() will change that
  yes,      // it runs the attempt, keeps its result, or will get the order
  unknown,  // it has not answered take_over() yet
};

// Thread-safe. Every order returns at once.
class Host {
 public:
  virtual ~Host() = default;
  virtual HostInfo info() const = 0;
  // Slots that this launcher may count on: those that no other one's attempts take. None while the
  // host is about to end, or does not fetch orders.
  virtual int room() const = 0;
  // Before the first order; `events` must outlive the host.
  virtual void attach(HostEvents& events) = 0;

  // What becomes of it comes as reports, or on_never_sent().
  virtual void launch(LaunchOrder order) = 0;
  // Ends it with verdict `cancelled`, if it still runs.
  virtual void cancel(const OrderAuthority& by, const ExecutionId& execution,
                      std::int64_t attempt) = 0;
  // The end of the attempt is applied: the host may forget it.
  virtual void acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                           std::int64_t attempt) = 0;
  // Announces an owner. The host says what it holds of the partition (on_taken_over), then reports
  // again what it keeps of it. May be repeated.
  virtual void take_over(const OrderAuthority& by) = 0;
  virtual Holding holding(std::int32_t partition, const ExecutionId& execution,
                          std::int64_t attempt) const = 0;
};

}  // namespace sandtrail
