// SPDX-License-Identifier: Apache-2.0
// The LogImport port: a log that is being filled with the records of another one, as they are: each
// at its position, with its stamp and its bytes. Until finish() it is no log: whoever opens it as
// one is refused, so that nobody folds or appends to half of a history.
//
// What was written survives a kill: opened again, an import goes on behind the last record it has.
// One writer at a time. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "event_log/event_log.h"

namespace sandtrail {

class LogImport {
 public:
  virtual ~LogImport() = default;

  // Makes the topic, or finds it as an earlier import left it. conflict: it is part of a log that
  // is in use, or has another partition count. The first topic is the last to be finished.
  virtual Status ensure_topic(const TopicSpec& spec) = 0;
  // The partition's first position. conflict if it has begun elsewhere, or cannot begin there.
  virtual Status begin(const TopicPartition& where, Position low) = 0;
  // The position of the next record.
  virtual Result<Position> next(const TopicPartition& where) = 0;
  // Takes records that stand from next() on, without a hole. They need not be durable on return.
  virtual Status append(const TopicPartition& where, const std::vector<StoredRecord>& records) = 0;
  // Returns once all that was taken is durable, at its position.
  virtual Status flush() = 0;
  // What it holds, from any position up to next().
  virtual Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                         Position from) = 0;
  // From here on it is a log. Repeats do no harm.
  virtual Status finish() = 0;
};

}  // namespace sandtrail
