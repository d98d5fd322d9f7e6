// SPDX-License-Identifier: Apache-2.0
// The adapters of LogImport under test.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "event_log/log_import.h"

namespace sandtrail::contract {

// One place for a log.
class ImportUnderTest {
 public:
  virtual ~ImportUnderTest() = default;
  virtual Result<std::unique_ptr<LogImport>> import() = 0;
  virtual Result<std::unique_ptr<EventLog>> open() = 0;
  // Whether a process that wants to use it as a log is told that it is an unfinished copy.
  virtual bool refuses() = 0;
};

using MakeImport = std::function<std::unique_ptr<ImportUnderTest>()>;
std::vector<MakeImport> import_adapters();

}  // namespace sandtrail::contract
