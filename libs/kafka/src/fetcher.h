// SPDX-License-Identifier: Apache-2.0
// Consumers that read by assignment, without a group: where to read is our own to remember.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"
#include "client.h"

namespace sandtrail::kafka {

// Thread-safe. One consumer serves one reader of each partition; a second reader of a partition
// gets a consumer of its own.
class Fetcher {
 public:
  explicit Fetcher(KafkaConnection connection,
                   std::size_t prefetch_bytes = limits::kKafkaPrefetchBytesMax)
      : connection_(std::move(connection)), prefetch_bytes_(prefetch_bytes) {}

  // A partition's records from an offset on, until it is destroyed.
  class Assignment {
   public:
    ~Assignment();
    Assignment(const Assignment&) = delete;
    Assignment& operator=(const Assignment&) = delete;
    // The next message or error of the partition, in order; null after `timeout`. By one thread at
    // a time.
    Message next(Millis timeout);
    // Reads on from there, after an error that ended it. False: for now it does not go on.
    bool again(std::int64_t offset);
    // The high mark of the last answer to a fetch; negative if there was none.
    std::int64_t high_mark() const;

   private:
    friend class Fetcher;
    Assignment() = default;
    struct Shared;
    std::shared_ptr<Shared> shared_;
    std::string topic_;
    std::int32_t partition_ = 0;
    Queue queue_;
  };
  // `on_arrival(opaque)` is called on a thread of librdkafka, which holds the queue: it may only
  // wake somebody.
  Result<std::unique_ptr<Assignment>> assign(const std::string& topic, std::int32_t partition,
                                             std::int64_t offset,
                                             void (*on_arrival)(rd_kafka_t*, void*), void* opaque);

 private:
  Result<std::shared_ptr<Assignment::Shared>> consumer_without(
      const std::pair<std::string, std::int32_t>& partition);

  const KafkaConnection connection_;
  const std::size_t prefetch_bytes_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Assignment::Shared>> consumers_;
};

}  // namespace sandtrail::kafka
