// SPDX-License-Identifier: Apache-2.0
// How to reach a Kafka cluster. Every adapter of this library takes it.
#pragma once

#include <map>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"

namespace sandtrail {

struct KafkaConnection {
  std::string brokers;                  // "host:port,host:port", to begin with
  std::string topic_prefix;             // of every topic and group of ours; its own log for each
  std::string client_id = "sandtrail";  // short: librdkafka before 2.5 fails on long ones
  // librdkafka's own settings, by its names: those that say how to connect (check_kafka_settings).
  // Secrets are named by file: "sasl.password_file", "ssl.key.password_file".
  std::map<std::string, std::string> settings;
  std::int16_t replication = 3;  // of topics that are made, and at least so much of those there
  std::int16_t min_insync = 2;   // the same of min.insync.replicas
};

// "kafka://host:port[,host:port…]" as the list of brokers. invalid_argument says what is wrong.
Result<std::string> parse_kafka_url(std::string_view url);

// invalid_argument for a setting that is ours to choose, or that librdkafka does not know.
Status check_kafka_settings(const std::map<std::string, std::string>& settings);

}  // namespace sandtrail
