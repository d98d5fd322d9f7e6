// SPDX-License-Identifier: Apache-2.0
// What becomes of appends when the broker refuses them for good, and of the producer.
#include "producer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>

#include "mock_broker.h"

using namespace sandtrail;
using namespace sandtrail::kafka;
using namespace sandtrail::test;

namespace {

constexpr std::int16_t kProduce = 0;  // Kafka's protocol: the number of the request
constexpr auto kPatience = std::chrono::seconds(20);

struct Fixture {
  explicit Fixture(const std::string& topic)
      : to(std::make_shared<Partition>(TopicPartition{topic, 0}, "unit." + topic)) {
    broker.make_topic(to->topic);
    REQUIRE(producer.start().ok());
    producer.warm_up(to->topic);
  }
  std::future<AppendOutcome> append() {
    auto answer = std::make_shared<std::promise<AppendOutcome>>();
    Outgoing outgoing;
    outgoing.to = to;
    outgoing.value = BytesView("value");
    auto refused = producer.append(
        outgoing, [answer](const AppendOutcome& outcome) { answer->set_value(outcome); });
    if (refused) {
      AppendOutcome outcome;
      outcome.kind = AppendOutcome::Kind::not_committed;
      outcome.error = *refused;
      answer->set_value(outcome);
    }
    return answer->get_future();
  }
  AppendOutcome outcome_of(std::future<AppendOutcome> answer) {
    REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
    return answer.get();
  }
  MockBroker& broker = MockBroker::instance();
  const ManualClock clock;
  Refusals refusals{clock};
  std::promise<void> broke;
  const std::shared_ptr<Partition> to;
  Producer producer{broker.connection(), seconds(15), {0}, refusals, [this] { broke.set_value(); }};
};

}  // namespace

TEST_CASE("after a fatal error all is answered, appends are refused, and a new producer goes on") {
  Fixture f("fatal");
  REQUIRE(f.outcome_of(f.append()).committed());
  f.broker.refuse_next(kProduce, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  CHECK_FALSE(f.outcome_of(f.append()).committed());
  REQUIRE(f.broke.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(f.producer.broken().find("equence") != std::string::npos);
  const AppendOutcome meanwhile = f.outcome_of(f.append());
  CHECK(meanwhile.kind == AppendOutcome::Kind::not_committed);
  CHECK(meanwhile.error.code == ErrorCode::unavailable);
  REQUIRE(f.producer.renew().ok());
  CHECK(f.producer.broken().empty());
  CHECK(f.outcome_of(f.append()).committed());
}

TEST_CASE("a record that the broker finds too large is refused for good, and the next is taken") {
  Fixture f("large");
  f.broker.refuse_next(kProduce, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const AppendOutcome outcome = f.outcome_of(f.append());
  CHECK(outcome.kind == AppendOutcome::Kind::not_committed);
  CHECK(outcome.error.code == ErrorCode::invalid_argument);
  CHECK(f.outcome_of(f.append()).committed());
}
