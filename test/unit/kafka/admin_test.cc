// SPDX-License-Identifier: Apache-2.0
// What a broker may answer at any time, by librdkafka's own mock of one.
#include <doctest/doctest.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "admin.h"

using namespace sandtrail;
using namespace sandtrail::kafka;

namespace {

constexpr std::int16_t kOffsetFetch = 9;  // Kafka's protocol: the number of the request

class MockBroker {
 public:
  MockBroker() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    // It has no broker itself, and would complain.
    rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    cluster_ = rd_kafka_mock_cluster_new(host_, 1);
  }
  ~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;

  KafkaConnection connection() const {
    KafkaConnection out;
    out.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    out.topic_prefix = "unit.";
    return out;
  }
  void refuse_next(std::int16_t request, rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, 1, &code);
  }

 private:
  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace

TEST_CASE("positions asked for while coordinators move are not known yet, and that is all") {
  MockBroker broker;
  Admin admin(broker.connection());
  REQUIRE(admin.start().ok());
  for (const auto code :
       {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE}) {
    CAPTURE(rd_kafka_err2name(code));
    broker.refuse_next(kOffsetFetch, code);
    const auto found = admin.committed("somebody");
    REQUIRE(!found.ok());
    CHECK(found.error().retryable());
  }
}
