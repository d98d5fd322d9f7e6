// SPDX-License-Identifier: Apache-2.0
// Directories and openers for tests of the embedded log.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "log_embedded/embedded_log.h"

namespace sandtrail::contract {

// In $TMPDIR, else in /tmp. Tens of thousands of logs to open are faster in memory.
struct TemporaryDirectory {
  std::string path;
  TemporaryDirectory() {
    const char* parent = std::getenv("TMPDIR");
    path = std::string(parent == nullptr ? "/tmp" : parent) + "/sandtrail-log-XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
};

// True if the full numbers of faults are wanted (scripts/torture).
inline bool is_torture() {
  const char* value = std::getenv("SANDTRAIL_TORTURE");
  return value != nullptr && std::string(value) == "1";
}

inline const SystemClock test_clock;
inline SystemRandom test_random;

inline Result<std::unique_ptr<EventLog>> try_open(const std::string& directory,
                                                  const EmbeddedLogOptions& options = {}) {
  return open_embedded_log(directory, options, test_clock, test_random);
}

inline std::unique_ptr<EventLog> must_open(const std::string& directory,
                                           const EmbeddedLogOptions& options = {}) {
  auto log = try_open(directory, options);
  if (!log.ok()) FAIL(log.error().text());
  return std::move(*log);
}

}  // namespace sandtrail::contract
