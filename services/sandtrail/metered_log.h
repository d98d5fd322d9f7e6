// SPDX-License-Identifier: Apache-2.0
// The log of a process, with its work as metrics:
//
//   append_seconds{topic}           histogram: handed over until answered
//   appends_total{topic,outcome}    committed, not_committed, unknown
//   append_bytes_total{topic}       of those that are committed
//   append_queue_records, …_bytes   handed over and not answered yet
//   log_batch_records               histogram: records of one write, or of one request to a broker
//   ownership_changes_total{group,change}   partitions assigned, revoked, lost
//   rebalances_total{group}         times that what this process owns was given anew
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "event_log/event_log.h"
#include "obs/metrics.h"

namespace sandtrail {

// All arguments must outlive the log.
std::unique_ptr<EventLog> make_metered_log(std::unique_ptr<EventLog> log, Metrics& metrics,
                                           const Clock& clock);

// For the adapter's options.
std::function<void(std::size_t)> batch_meter(Metrics& metrics);

}  // namespace sandtrail
