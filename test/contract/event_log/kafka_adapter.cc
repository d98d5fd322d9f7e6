// SPDX-License-Identifier: Apache-2.0
// The Kafka adapter against the broker at SANDTRAIL_TEST_KAFKA (host:port; scripts/kafka start
// prints it, scripts/test sets it). SANDTRAIL_TEST_KAFKA_PID, if set, is its process: the suite
// then stops and continues it where a log has to stall.
#include <string>

#include "../kafka/kafka_broker.h"
#include "kafka/kafka_log.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

const SystemClock test_clock;

class KafkaUnderTest final : public LogUnderTest {
 public:
  KafkaUnderTest() { open(); }
  ~KafkaUnderTest() override { stall(false); }

  EventLog& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }
  bool stall(bool stalled) override {
    if (test::kafka_pid() == 0) return false;
    if (stalled != stalled_) test::hang_kafka(stalled);
    stalled_ = stalled;
    return true;
  }

 private:
  void open() {
    KafkaLogOptions options;
    options.connection = test::kafka_connection(prefix_);
    auto log = open_kafka_log(options, test_clock);
    if (!log.ok()) FAIL(log.error().text());
    log_ = std::move(*log);
  }

  const std::string prefix_ = test::fresh_kafka_prefix("log");
  bool stalled_ = false;
  std::unique_ptr<EventLog> log_;
};

const Registration kafka_registration({"kafka", [] { return std::make_unique<KafkaUnderTest>(); },
                                       false});

}  // namespace
