// SPDX-License-Identifier: Apache-2.0
// Membership of a consumer group, for who should act on which partition. Nothing is read by it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "event_log/event_log.h"
#include "handles.h"
#include "reader.h"
#include "settings.h"

namespace sandtrail::kafka {

// The listener is called on the member's own thread. That the group may not be joined is noted with
// the log until a partition is assigned. The destructor revokes what is owned, and
// leaves.
class GroupMember final : public Ownership {
 public:
  static Result<std::unique_ptr<GroupMember>> join(const KafkaConnection& connection,
                                                   const std::string& group,
                                                   const std::vector<std::string>& topics,
                                                   Millis session_timeout,
                                                   std::shared_ptr<LogState> log,
                                                   OwnershipListener& listener);
  ~GroupMember() override;
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

 private:
  GroupMember(std::string group, std::size_t prefix_length, std::shared_ptr<LogState> log,
              OwnershipListener& listener)
      : group_(std::move(group)),
        prefix_length_(prefix_length),
        log_(std::move(log)),
        listener_(listener) {}
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* partitions, void* self);
  void assigned(rd_kafka_topic_partition_list_t* partitions);
  void taken(const rd_kafka_topic_partition_list_t& partitions);
  void run();
  void on_error(const rd_kafka_message_t& message);
  TopicPartition name_of(const rd_kafka_topic_partition_t& partition) const;

  const std::string group_;
  const std::size_t prefix_length_;
  const std::shared_ptr<LogState> log_;
  OwnershipListener& listener_;
  rd_kafka_t* handle_ = nullptr;
  Queue consumer_queue_;
  std::set<TopicPartition> owned_;  // as the listener was told; of the member's thread
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

}  // namespace sandtrail::kafka
