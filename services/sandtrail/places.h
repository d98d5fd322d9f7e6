// SPDX-License-Identifier: Apache-2.0
// Which adapter stands behind a port, by the settings.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "event_log/event_log.h"
#include "kafka/connection.h"
#include "process_plan.h"
#include "store/key_store.h"
#include "store/object_store.h"
#include "store_rocksdb/kv_store.h"

namespace sandtrail {

// `client` is how the brokers know this process.
KafkaConnection kafka_connection(const Config::Log& log, std::string client);

// Kafka: returns without waiting for a broker. `on_batch` as in the adapters' options.
Result<std::unique_ptr<EventLog>> open_log(const ProcessPlan& plan,
                                           std::function<void(std::size_t)> on_batch,
                                           const Clock& clock, Random& random);
Result<std::unique_ptr<KeyStore>> open_key_store(const ProcessPlan& plan,
                                                 const std::shared_ptr<RocksDbMemory>& memory,
                                                 const Clock& clock);
Result<std::unique_ptr<ObjectStore>> open_objects(const ProcessPlan& plan, const Clock& clock,
                                                  Random& random);

}  // namespace sandtrail
