// SPDX-License-Identifier: Apache-2.0
// The EventLog over Apache Kafka (3.5 or later), by librdkafka's C API.
//
// Beyond the port's promises: many processes share one log. Positions are Kafka's offsets; stamps
// are the broker's (message.timestamp.type=LogAppendTime). A Committed record is on every in-sync
// replica, of which the topic demands min_insync. Records keep for ever (retention.ms=-1) until
// trim() deletes them. own() joins a consumer group: each partition has one member, chosen by the
// broker; one that leaves is replaced at once, one that crashes after `session_timeout`.
//
// marks() is linearizable with what this process was acknowledged, has read or was told. Of what
// others were acknowledged it may lack the newest for a moment: a broker that stood still past its
// session and was replaced as the leader answers with what it has, until it hears that it was.
//
// A record may be stored twice although it is Committed: when brokers die or appends time out,
// librdkafka can lose count, begins a new sequence, and sends again what is under way. The copies
// are byte-equal and stand near each other; the fold takes the first, as after Unknown.
//
// While no broker answers, nothing fails for good: appends wait, then are NotCommitted or Unknown;
// reads give nothing new; everything else is `unavailable`; health() says since when.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "event_log/event_log.h"
#include "kafka/connection.h"

namespace sandtrail {

struct KafkaLogOptions {
  KafkaConnection connection;
  Millis session_timeout = seconds(10);  // a member that is silent so long loses its partitions
  Millis append_timeout = limits::kKafkaAppendTimeout;  // then NotCommitted or Unknown
  Millis linger = {0};  // waits for more records of a batch; 0: sends what there is
  // For tools: appends are NotCommitted{denied}, and topics are not made. Needs no right to write,
  // without which an idempotent producer could not even start.
  bool read_only = false;
  // Told how many records the brokers have answered together, on a thread of the log; must be
  // quick.
  std::function<void(std::size_t records)> on_batch = nullptr;
};

// Returns without waiting for a broker. `clock` must outlive the log. Errors: invalid_argument
// (connection or options), denied or not_found (a file of the settings).
Result<std::unique_ptr<EventLog>> open_kafka_log(const KafkaLogOptions& options,
                                                 const Clock& clock);

}  // namespace sandtrail
