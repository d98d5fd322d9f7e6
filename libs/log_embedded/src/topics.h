// SPDX-License-Identifier: Apache-2.0
// The topics of an open log and the state of their partitions.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "event_log/event_log.h"
#include "event_log/wakes.h"

namespace sandtrail::embedded {

// What an append builds on.
struct Tail {
  std::int64_t next = 0;
  std::uint64_t running = 0;
  UnixMs stamp;
};

struct PartitionState {
  TopicPartition where;
  rocksdb::ColumnFamilyHandle* family = nullptr;

  Tail tail;  // guarded by the log's write mutex

  // What readers may see. Both only grow.
  std::atomic<std::int64_t> low{0};
  std::atomic<std::int64_t> high{0};
  // Low first: read the other way round, a trim in between could put it above high.
  Marks marks() const {
    const std::int64_t low_now = low.load();
    return {{low_now}, {high.load()}};
  }

  const std::shared_ptr<WakeList> wakes = std::make_shared<WakeList>();
};

// Thread-safe. Partitions are never removed, so pointers to them stay valid.
class TopicTable {
 public:
  using Partitions = std::vector<std::unique_ptr<PartitionState>>;

  PartitionState* find(const TopicPartition& where) const;
  std::int32_t partitions(const std::string& topic) const;  // 0 if there is no such topic
  std::size_t topics() const;
  std::size_t all_partitions() const;
  void add(const std::string& topic, Partitions partitions);
  void for_each(const std::function<void(PartitionState&)>& visit) const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, Partitions> topics_;
};

// Partitions of a topic without records.
TopicTable::Partitions empty_partitions(const std::string& topic, std::int32_t count,
                                        rocksdb::ColumnFamilyHandle* family);

}  // namespace sandtrail::embedded
