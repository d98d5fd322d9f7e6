// SPDX-License-Identifier: Apache-2.0
// Copying a log, record by record, and proving that two logs are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "event_log/log_import.h"

namespace sandtrail {

struct CopyProgress {
  TopicPartition where;      // the one in work
  std::int64_t records = 0;  // of all partitions so far
  std::int64_t total = 0;    // of all partitions
};
using OnCopyProgress = std::function<void(const CopyProgress&)>;

struct CopyReport {
  struct Part {
    TopicPartition where;
    Marks marks;  // of the source, and now of the target
  };
  std::vector<Part> parts;
  std::int64_t records = 0;  // written by this call
  std::int64_t bytes = 0;    // of them: keys, headers and values
  std::int64_t found = 0;    // that an earlier call had written
};

// Copies the topics of `from` that exist into `to`, up to the marks they have now, and flushes.
// Goes on where an earlier call ended, after comparing the last record there. Errors besides those
// of the two logs:
//   conflict     the source has a position without a record (Kafka: of a transaction's marker), as
//                a copy could then not be dense; or the target holds something else
//   unavailable  the source gives nothing more before its high mark
Result<CopyReport> copy_log(EventLog& from, LogImport& to, const std::vector<std::string>& topics,
                            const OnCopyProgress& progress);

// Where two logs differ first.
struct LogDifference {
  TopicPartition where;
  Position position;
  std::string what;  // "the stamp", "the value", "it is missing in the second" …
};

using OpenReader =
    std::function<Result<std::unique_ptr<LogReader>>(const TopicPartition&, Position)>;

// Compares position, stamp, key, headers in their order, and value of each record within the marks
// of `parts`; nullopt: all are the same.
Result<std::optional<LogDifference>> compare_records(const OpenReader& first,
                                                     const OpenReader& second,
                                                     const std::vector<CopyReport::Part>& parts,
                                                     const OnCopyProgress& progress);

// The partitions of the topics that exist, with their marks as of now.
Result<std::vector<CopyReport::Part>> parts_of(EventLog& log,
                                               const std::vector<std::string>& topics);

}  // namespace sandtrail
