// SPDX-License-Identifier: Apache-2.0
#include "embedded_support.h"
#include "import_adapters.h"
#include "log_embedded/embedded_import.h"

namespace sandtrail::contract {
namespace {

class EmbeddedImportUnderTest final : public ImportUnderTest {
 public:
  Result<std::unique_ptr<LogImport>> import() override {
    return open_embedded_import(directory_.path, "", test_random);
  }
  Result<std::unique_ptr<EventLog>> open() override { return try_open(directory_.path); }
  bool refuses() override {
    const auto log = try_open(directory_.path);
    const auto reading = open_embedded_log_read_only(directory_.path, {});
    for (const auto* opened : {&log, &reading}) {
      if (opened->ok()) return false;
    }
    // While it is being filled, somebody has it open.
    const bool busy = log.error().message.find("has the log in") != std::string::npos;
    const bool told = log.error().message.find("unfinished copy") != std::string::npos;
    return (busy || told) && reading.error().message.find("unfinished copy") != std::string::npos;
  }

 private:
  const TemporaryDirectory directory_;
};

}  // namespace

std::vector<MakeImport> import_adapters() {
  return {[] { return std::make_unique<EmbeddedImportUnderTest>(); }};
}

}  // namespace sandtrail::contract
