// SPDX-License-Identifier: Apache-2.0
// The Kafka adapter against the broker at SANDTRAIL_TEST_KAFKA (host:port; scripts/kafka start
// prints it, scripts/test sets it). SANDTRAIL_TEST_KAFKA_PID, if set, is its process: the suite
// then stops and continues it where a log has to stall.
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "kafka/kafka_log.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

const SystemClock test_clock;

std::string broker() {
  const char* address = std::getenv("SANDTRAIL_TEST_KAFKA");
  if (address == nullptr) {
    FAIL("SANDTRAIL_TEST_KAFKA is not set: export SANDTRAIL_TEST_KAFKA=$(scripts/kafka start)");
  }
  return address;
}

class KafkaUnderTest final : public LogUnderTest {
 public:
  KafkaUnderTest() {
    static std::atomic<int> count{0};
    // Topics of an earlier run may still be there.
    prefix_ = "contract-" + std::to_string(test_clock.now().count) + "-" +
              std::to_string(++count) + ".";
    open();
  }
  ~KafkaUnderTest() override { stall(false); }

  EventLog& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }
  bool stall(bool stalled) override {
    const char* pid = std::getenv("SANDTRAIL_TEST_KAFKA_PID");
    if (pid == nullptr) return false;
    if (stalled != stalled_) ::kill(std::atoi(pid), stalled ? SIGSTOP : SIGCONT);
    stalled_ = stalled;
    return true;
  }

 private:
  void open() {
    KafkaLogOptions options;
    options.connection.brokers = broker();
    options.connection.topic_prefix = prefix_;
    options.connection.replication = 1;
    options.connection.min_insync = 1;
    auto log = open_kafka_log(options, test_clock);
    if (!log.ok()) FAIL(log.error().text());
    log_ = std::move(*log);
  }

  std::string prefix_;
  bool stalled_ = false;
  std::unique_ptr<EventLog> log_;
};

const Registration kafka_registration({"kafka", [] { return std::make_unique<KafkaUnderTest>(); },
                                       false});

}  // namespace
