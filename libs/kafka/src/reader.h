// SPDX-License-Identifier: Apache-2.0
// A LogReader over one assignment.
#pragma once

#include <memory>
#include <optional>

#include "admin.h"
#include "fetcher.h"
#include "partition.h"
#include "refusals.h"

namespace sandtrail::kafka {

// What a reader asks of its log. Shared, since readers may outlive it.
struct LogState {
  explicit LogState(const Clock& clock) : refusals(clock) {}

  std::atomic<bool> closed{false};
  std::atomic<bool> away{false};  // no broker answers
  Refusals refusals;
};

class Reader final : public LogReader {
 public:
  Reader(std::shared_ptr<Admin> admin, std::shared_ptr<LogState> state,
         std::shared_ptr<Partition> partition, std::unique_ptr<Fetcher::Assignment> assignment,
         Position from)
      : admin_(std::move(admin)),
        state_(std::move(state)),
        partition_(std::move(partition)),
        assignment_(std::move(assignment)),
        next_(from) {}

  // Waits, at most limits::kKafkaFetchTimeout, only for records that are known to be there.
  Result<ReadBatch> poll(std::size_t bytes_max) override;

 private:
  Message next_message(bool may_wait);
  // False: the reader goes no further, see broken_.
  bool take(Message message, ReadBatch& batch, std::size_t& bytes);
  void on_error(const rd_kafka_message_t& message);
  void on_out_of_range();
  std::string act() const;

  const std::shared_ptr<Admin> admin_;
  const std::shared_ptr<LogState> state_;
  const std::shared_ptr<Partition> partition_;
  const std::unique_ptr<Fetcher::Assignment> assignment_;
  Position next_;
  int doubts_ = 0;  // how often in a row it was said that there is no such position
  std::optional<Error> broken_;
};

}  // namespace sandtrail::kafka
