// SPDX-License-Identifier: Apache-2.0
// A host runs executions. The launcher sees every host by this interface, built in or remote.
//
// A host decides its own capacity: it may refuse, and then never launches that attempt. It keeps a
// finished result until the launcher acknowledges that it is applied. A restarted host has a new
// epoch and never launches work of an older one. An attempt that it holds it does not launch again;
// one that it refused it refuses again.
#pragma once

#include <functional>
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

// What a host needs to run one attempt. It gets the one data key, never another.
struct LaunchOrder {
  OrgId org;
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
  OrgId org;
  ExecutionId execution;
  std::int64_t attempt = 0;
  HostId host;
  std::variant<ExecutionRefused, ExecutionStarted, ExecutionFinished> what;
};
using ReportSink = std::function<void(HostReport)>;

// Thread-safe. Reports come on threads of the host.
class Host {
 public:
  virtual ~Host() = default;
  virtual HostInfo info() const = 0;
  // Where reports go from now on; set once, before the first launch.
  virtual void set_report_sink(ReportSink sink) = 0;
  // Returns at once; what becomes of it comes as reports.
  virtual void launch(LaunchOrder order) = 0;
  // Ends it with verdict `cancelled`, if it still runs.
  virtual void cancel(const ExecutionId& execution, std::int64_t attempt) = 0;
  // The launcher has applied the result: the host may forget it.
  virtual void acknowledge(const ExecutionId& execution, std::int64_t attempt) = 0;
  // True if the host runs this attempt, or keeps its result.
  virtual bool holds(const ExecutionId& execution, std::int64_t attempt) const = 0;
  // Reports again every result that is kept, for one organisation's partition or all.
  virtual void resend() = 0;
};

}  // namespace sandtrail
