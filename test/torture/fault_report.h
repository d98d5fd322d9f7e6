// SPDX-License-Identifier: Apache-2.0
// What a test has tried and what came of it, for the table of scripts/torture: one line of JSON
// for each fault, appended to the file that SANDTRAIL_TORTURE_REPORT names; nothing without it.
// test/torture/fault_report.py is the same for tests in Python, and says what a line holds.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace sandtrail::test {

// True if the full numbers are wanted: SANDTRAIL_TORTURE=1.
inline bool is_torture() {
  const char* value = std::getenv("SANDTRAIL_TORTURE");
  return value != nullptr && std::string(value) == "1";
}

// Written when it goes, so that a test that fails on the way tells how far it came: the fault whose
// outcome was not counted is missing in the sum. Names are ours: plain text without quotes.
class FaultReport {
 public:
  explicit FaultReport(std::string fault) : fault_(std::move(fault)) {}
  ~FaultReport() {
    const char* path = std::getenv("SANDTRAIL_TORTURE_REPORT");
    if (path == nullptr) return;
    const std::string line = json();
    const int file = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) return;
    // A line that is cut off is no JSON, which scripts/torture counts as a failure.
    static_cast<void>(::write(file, line.data(), line.size()) == 0);
    ::close(file);
  }
  FaultReport(const FaultReport&) = delete;
  FaultReport& operator=(const FaultReport&) = delete;

  void tried(std::uint64_t times = 1) { tries_ += times; }
  // Of what was tried, so many came out so.
  void came(const std::string& outcome, std::uint64_t times = 1) { add(outcomes_, outcome, times); }
  // What else was counted meanwhile.
  void noted(const std::string& what, std::uint64_t count) { add(notes_, what, count); }

 private:
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

  static void add(Counts& counts, const std::string& name, std::uint64_t times) {
    for (auto& [known, count] : counts) {
      if (known != name) continue;
      count += times;
      return;
    }
    counts.emplace_back(name, times);
  }
  static std::string json(const Counts& counts) {
    std::string out;
    for (const auto& [name, count] : counts) {
      out += (out.empty() ? "\"" : ", \"") + name + "\": " + std::to_string(count);
    }
    return "{" + out + "}";
  }
  std::string json() const {
    const auto lasted = std::chrono::steady_clock::now() - began_;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count();
    return "{\"fault\": \"" + fault_ + "\", \"tries\": " + std::to_string(tries_) +
           ", \"outcomes\": " + json(outcomes_) + ", \"notes\": " + json(notes_) +
           ", \"ms\": " + std::to_string(ms) + "}\n";
  }

  const std::string fault_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::uint64_t tries_ = 0;
  Counts outcomes_;
  Counts notes_;
};

}  // namespace sandtrail::test
