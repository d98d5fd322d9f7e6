// SPDX-License-Identifier: Apache-2.0
// Finds in a history what a log must never do, by the names that Jepsen uses for queues and logs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "history.h"

namespace sandtrail::history {

// The anomalies, each with the promise of event_log/event_log.h that it breaks:
//   lost-write            acknowledged, not where it should be for readers that passed it (G1)
//   unseen                acknowledged, and no reader ever came so far: the history must end with
//                         readers that read to the end (G1, G7)
//   duplicate             there twice although every append of it was answered, none with Unknown
//                         (G5)
//   inconsistent-offsets  two values at one position, or a record at another one than was
//                         acknowledged (G6, G8)
//   poll-skip             a reader went past a record that others saw there (G6, G8)
//   nonmonotonic-poll     a reader was given positions out of order, again, or outside of what it
//                         read (G6)
//   phantom               there although it was answered NotCommitted, or never appended (G3, G4)
//   reordered             one client's acknowledged records stand in another order than it appended
//                         them; of copies the first one counts (G2)
//   stale-marks           a mark below what had been acknowledged, read or told before (G7)
//   refused-read          a read was refused for good: trimmed, shorter or damaged (G10)
inline constexpr const char* kAnomalies[] = {
    "lost-write",        "unseen",  "duplicate", "inconsistent-offsets", "poll-skip",
    "nonmonotonic-poll", "phantom", "reordered", "stale-marks",          "refused-read"};

struct Report {
  struct Found {
    std::int64_t count = 0;
    std::vector<std::string> examples;  // the first few
  };
  std::map<std::string, Found> anomalies;  // only those that were found

  std::int64_t appends = 0;
  std::int64_t committed = 0;
  std::int64_t not_committed = 0;
  std::int64_t unknown = 0;             // never answered, or answered so
  std::int64_t unknown_there = 0;       // of them: read later, once
  std::int64_t committed_repeated = 0;  // only with copies_of_committed
  std::int64_t unknown_repeated = 0;    // of them: read at several positions, as G5 allows
  std::int64_t polls = 0;
  std::int64_t read = 0;  // records over all polls
  std::int64_t marks = 0;

  bool clean() const { return anomalies.empty(); }
};

// Where a log promises less than the port (kafka/kafka_log.h says what and why).
struct CheckOptions {
  // stale-marks counts only what was known to the process that asked.
  bool marks_by_process = false;
  // An acknowledged append that is there twice is counted, and is no duplicate.
  bool copies_of_committed = false;
};

// Pure; the order of the operations of different clients does not matter.
Report check(const History& history, const CheckOptions& options = {});

std::string table_of(const Report& report);
std::string json_of(const Report& report);

}  // namespace sandtrail::history
