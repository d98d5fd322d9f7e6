// SPDX-License-Identifier: Apache-2.0
// How current one partition's fold is, for those who are asked about it on other threads.
#pragma once

#include <deque>
#include <mutex>
#include <optional>

#include "event_log/event_log.h"
#include "runtime/runtime.h"

namespace sandtrail {

// What the partition's thread sees after a step.
struct FoldSight {
  UnixMs now;
  std::int64_t now_us = 0;  // monotonic: the wall clock may be set
  bool at_tail = false;
  std::optional<Error> refused;  // reading, for now
  UnixMs log_time;
  Position next;
};

// Thread-safe; look() is called on the partition's thread.
class Currency {
 public:
  void look(const FoldSight& sight, const EventLog& log);

  Millis behind(UnixMs now) const;
  std::optional<LogAway> away() const;
  std::optional<UnixMs> passed(Position position) const;

 private:
  struct Passed {
    Position next;
    UnixMs at;
    std::int64_t at_us = 0;
  };
  void remember(const FoldSight& sight);

  mutable std::mutex mutex_;
  std::optional<UnixMs> current_at_;    // the last time it was; nullopt: never yet
  std::optional<UnixMs> behind_since_;  // nullopt: it is current
  std::optional<LogAway> away_;
  UnixMs refused_since_{};
  std::optional<std::int64_t> health_seen_us_;
  LogHealth health_;
  std::deque<Passed> passed_;  // rising
};

}  // namespace sandtrail
