// SPDX-License-Identifier: Apache-2.0
// How far each consumer group is durable. Kept in the head mark, so that a group which isn't
// running is not forgotten.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "event_log/event_log.h"
#include "log_embedded/head_mark.h"

namespace sandtrail::embedded {

// Thread-safe.
class Consumers {
 public:
  void load(const std::vector<HeadMark::Report>& reports,
            const std::vector<std::string>& forgotten);
  // True if it changed something. Reports never go back; a group beyond kConsumerGroupsMax is not
  // taken, and trim() refuses from then on.
  bool report(const std::string& group, const TopicPartition& where, Position durable);
  std::vector<HeadMark::Report> all() const;
  // conflict if a group still needs a record of `where` below `before`.
  Status may_trim(const TopicPartition& where, Position before) const;

 private:
  mutable std::mutex mutex_;
  bool overflowed_ = false;
  std::map<std::string, std::map<TopicPartition, Position>> groups_;
};

}  // namespace sandtrail::embedded
