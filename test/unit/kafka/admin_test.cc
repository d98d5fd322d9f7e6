// SPDX-License-Identifier: Apache-2.0
// What a broker may answer at any time, by librdkafka's own mock of one.
#include "admin.h"

#include <doctest/doctest.h>

#include "mock_broker.h"

using namespace sandtrail;
using namespace sandtrail::kafka;
using namespace sandtrail::test;

namespace {

constexpr std::int16_t kOffsetFetch = 9;  // Kafka's protocol: the number of the request

}  // namespace

TEST_CASE("positions asked for while coordinators move are not known yet, and that is all") {
  MockBroker& broker = MockBroker::instance();
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
