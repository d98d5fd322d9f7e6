// SPDX-License-Identifier: Apache-2.0
// How far a long verb is, in one line of a terminal that is written over.
#pragma once

#include <cstdint>
#include <string>

#include "session.h"

namespace sandtrail::cli {

// Shows nothing where standard error is no terminal. Its end clears the line.
class ProgressLine {
 public:
  explicit ProgressLine(Session& session)
      : session_(session), began_us_(session.parts.clock.monotonic_us()) {}
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // "copying events/3: 120000 of 500000 records, 85000/s", a few times a second.
  void show(const std::string& doing, std::int64_t done, std::int64_t total);
  std::int64_t elapsed_us() const { return session_.parts.clock.monotonic_us() - began_us_; }

 private:
  Session& session_;
  const std::int64_t began_us_;
  std::int64_t shown_us_ = 0;
  bool shown_ = false;
};

// Records for each second; 0 if no time has passed.
std::int64_t rate_of(std::int64_t records, std::int64_t span_us);
// "17 B", "1.5 KiB", "20.1 GiB".
std::string bytes_text(std::int64_t bytes);

}  // namespace sandtrail::cli
