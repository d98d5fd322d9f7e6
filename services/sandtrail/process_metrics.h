// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "event_log/event_log.h"
#include "launcher/hosts.h"
#include "obs/metrics.h"
#include "runtime/runtime.h"

namespace sandtrail {

// What the metrics of a process are made of, besides those that count by themselves.
struct MeasuredProcess {
  Metrics& metrics;
  Runtime& runtime;
  const EventLog& log;
  const Hosts* hosts;               // null: it has none
  std::string directory;            // what is its own
  std::uint64_t log_reserve_bytes;  // of an embedded log; else 0
};

// The Prometheus text of the process, with what its partitions say now. Waits for the partitions'
// threads.
std::string process_metrics(const MeasuredProcess& process);

}  // namespace sandtrail
