// SPDX-License-Identifier: Apache-2.0
// The broker that tests use: SANDTRAIL_TEST_KAFKA (host:port) names it; scripts/test starts one.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "kafka/connection.h"

namespace sandtrail::test {

// Topics of an earlier run may still be there: no two calls give the same.
inline std::string fresh_kafka_prefix(const std::string& name) {
  static std::atomic<int> count{0};
  return name + "-" + std::to_string(SystemClock().now().count) + "-" + std::to_string(++count) +
         ".";
}

inline KafkaConnection kafka_connection(const std::string& prefix) {
  const char* address = std::getenv("SANDTRAIL_TEST_KAFKA");
  if (address == nullptr) {
    FAIL("SANDTRAIL_TEST_KAFKA is not set: export SANDTRAIL_TEST_KAFKA=$(scripts/kafka start)");
  }
  KafkaConnection connection;
  connection.brokers = address;
  connection.topic_prefix = prefix;
  connection.replication = 1;
  connection.min_insync = 1;
  return connection;
}

}  // namespace sandtrail::test
