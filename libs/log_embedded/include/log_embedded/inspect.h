// SPDX-License-Identifier: Apache-2.0
// What is wrong with an embedded log that does not open, before anybody decides about it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "event_log/event_log.h"

namespace sandtrail {

struct LogCondition {
  std::string identity;                       // as far as it is known
  std::string loss;                           // why open_embedded_log() refuses; empty: it opens
  std::map<TopicPartition, Position> marked;  // where the head mark says partitions end
  std::map<TopicPartition, Position> found;   // where they end without what was lost
};

// Of the partitions of `topics`. Opens a copy (hard links where files never change, so it is small)
// in `directory`/inspected, and removes it. The log itself stays as it is, byte for byte. `look`
// sees the copy, without what was lost. Errors: conflict if another process has the log open,
// not_found if there is none, and those of a copy that cannot be opened even with accept_loss.
Result<LogCondition> inspect_embedded_log(const std::string& directory,
                                          const std::vector<std::string>& topics,
                                          const Clock& clock, Random& random,
                                          const std::function<Status(EventLog&)>& look);

}  // namespace sandtrail
