// SPDX-License-Identifier: Apache-2.0
// How far consumers are durable, kept as offsets of groups that nobody joins: "position.<group>".
// So any Kafka tool shows them, and the broker forgets a consumer that is gone
// (offsets.retention.minutes after its last report).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "admin.h"

namespace sandtrail::kafka {

// Thread-safe. Methods that ask the broker block for its answer.
class Positions {
 public:
  Positions(std::shared_ptr<Admin> admin, std::string prefix)
      : admin_(std::move(admin)), prefix_(std::move(prefix)) {}

  // Takes note; flush() sends it. A lower position than before counts for nothing.
  void report(const std::string& group, const TopicPartition& where, Position durable);
  // What could not be sent is sent with the next flush.
  Status flush();
  // The lowest position that any consumer, of whatever process, has reported, and whose it is.
  struct Lowest {
    std::string group;
    Position position;
  };
  Result<std::optional<Lowest>> lowest(const TopicPartition& where);
  // What every consumer has reported, of whatever process.
  Result<ReportedPositions> all();

 private:
  struct Group {
    std::map<TopicPartition, std::int64_t> positions;
    bool loaded = false;  // what an earlier life reported is taken into account
    bool dirty = false;
  };
  Status load(const std::string& group);

  const std::shared_ptr<Admin> admin_;
  const std::string prefix_;  // of topics and groups
  std::mutex flushing_;       // one at a time
  std::mutex mutex_;
  std::map<std::string, Group> groups_;
};

}  // namespace sandtrail::kafka
