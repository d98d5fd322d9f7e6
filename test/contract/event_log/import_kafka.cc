// SPDX-License-Identifier: Apache-2.0
// Topics that do not exist, and topics that an administrator has made in advance.
#include "../kafka/kafka_broker.h"
#include "import_adapters.h"
#include "kafka/kafka_import.h"
#include "kafka/kafka_log.h"
#include "log_contract.h"

namespace sandtrail::contract {
namespace {

const SystemClock test_clock;

class KafkaImportUnderTest final : public ImportUnderTest {
 public:
  explicit KafkaImportUnderTest(bool made_before) {
    if (!made_before) return;
    const auto log = open();
    REQUIRE(log.ok());
    REQUIRE((*log)->ensure_topic({"events", 2}).ok());
    REQUIRE((*log)->ensure_topic({"platform", 1}).ok());
  }
  Result<std::unique_ptr<LogImport>> import() override {
    return open_kafka_import(test::kafka_connection(prefix_), test_clock);
  }
  Result<std::unique_ptr<EventLog>> open() override {
    KafkaLogOptions options;
    options.connection = test::kafka_connection(prefix_);
    return open_kafka_log(options, test_clock);
  }
  bool refuses() override {
    const auto log = open();
    REQUIRE(log.ok());
    const Status refused = (*log)->ensure_topic({"events", 2});
    return !refused.ok() && refused.error().code == ErrorCode::conflict &&
           refused.error().message.find("unfinished copy") != std::string::npos;
  }

 private:
  const std::string prefix_ = test::fresh_kafka_prefix("import");
};

}  // namespace

std::vector<MakeImport> import_adapters() {
  return {[] { return std::make_unique<KafkaImportUnderTest>(false); },
          [] { return std::make_unique<KafkaImportUnderTest>(true); }};
}

}  // namespace sandtrail::contract
