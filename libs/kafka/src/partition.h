// SPDX-License-Identifier: Apache-2.0
// What a process knows of one partition, whoever learned it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "event_log/event_log.h"
#include "event_log/wakes.h"

namespace sandtrail::kafka {

// Thread-safe.
struct Partition {
  explicit Partition(TopicPartition where_, std::string topic_)
      : where(std::move(where_)), topic(std::move(topic_)) {}

  const TopicPartition where;
  const std::string topic;  // with the prefix
  const std::shared_ptr<WakeList> wakes = std::make_shared<WakeList>();
  // The marks as far as they are known: from answers to appends, fetches and questions. A record
  // that this process saw acknowledged is below `high`, so that its readers wait for it.
  std::atomic<std::int64_t> low{0};
  std::atomic<std::int64_t> high{0};

  void raise_high(std::int64_t to) { raise(high, to); }
  void raise_low(std::int64_t to) { raise(low, to); }
  Marks marks() const { return {{low.load()}, {high.load()}}; }

 private:
  static void raise(std::atomic<std::int64_t>& mark, std::int64_t to) {
    std::int64_t known = mark.load();
    while (known < to && !mark.compare_exchange_weak(known, to)) {
    }
  }
};

}  // namespace sandtrail::kafka
