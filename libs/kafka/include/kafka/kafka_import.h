// SPDX-License-Identifier: Apache-2.0
// Filling topics of a Kafka cluster with the records of another log.
//
// While they are filled, their records' stamps are given by the writer
// (message.timestamp.type=CreateTime), which every process refuses to take for a log; finish() lets
// the brokers give them (LogAppendTime), the first topic last. Kafka keeps the stamps that records
// have. Besides what a log needs of its topics it needs the right AlterConfigs.
#pragma once

#include <memory>

#include "base/clock.h"
#include "event_log/log_import.h"
#include "kafka/connection.h"

namespace sandtrail {

// Positions begin at 0: begin() elsewhere is a conflict. A topic that an administrator has made is
// taken if it is empty. One that is part of a log already is compared like any other, and append()
// to it is a conflict. `clock` must outlive the import. Errors: those of open_kafka_log().
Result<std::unique_ptr<LogImport>> open_kafka_import(const KafkaConnection& connection,
                                                     const Clock& clock);

}  // namespace sandtrail
