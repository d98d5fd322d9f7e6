// SPDX-License-Identifier: Apache-2.0
// librdkafka's own mock of a broker, for what a real one answers only at rare moments.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <string>

#include "kafka/connection.h"

namespace sandtrail::test {

class MockBroker {
 public:
  // One for all tests, left to the end of the process: its own end takes up to a second, in which
  // a thread of it waits for nothing.
  static MockBroker& instance() {
    static auto* const broker = new MockBroker();
    return *broker;
  }
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;

  KafkaConnection connection() const {
    KafkaConnection out;
    out.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    out.topic_prefix = "unit.";
    return out;
  }
  void make_topic(const std::string& name) {
    rd_kafka_mock_topic_create(cluster_, name.c_str(), 1, 1);
  }
  // `request`: its number in Kafka's protocol.
  void refuse_next(std::int16_t request, rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, 1, &code);
  }

 private:
  MockBroker() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    // It has no broker itself, and would complain.
    rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    cluster_ = rd_kafka_mock_cluster_new(host_, 1);
  }
  ~MockBroker() = default;

  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace sandtrail::test
