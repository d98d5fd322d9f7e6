// SPDX-License-Identifier: Apache-2.0
// Membership of a consumer group, for who should act on which partition. Nothing is read by it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_log/event_log.h"
#include "handles.h"
#include "settings.h"

namespace sandtrail::kafka {

// The listener is called on the member's own thread. The destructor revokes what is owned, and
// leaves.
class GroupMember final : public Ownership {
 public:
  static Result<std::unique_ptr<GroupMember>> join(const KafkaConnection& connection,
                                                   const std::string& group,
                                                   const std::vector<std::string>& topics,
                                                   Millis session_timeout,
                                                   OwnershipListener& listener);
  ~GroupMember() override;
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

 private:
  GroupMember(std::size_t prefix_length, OwnershipListener& listener)
      : prefix_length_(prefix_length), listener_(listener) {}
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* partitions, void* self);
  void assigned(rd_kafka_topic_partition_list_t* partitions);
  void taken(const rd_kafka_topic_partition_list_t& partitions);
  void run();
  TopicPartition name_of(const rd_kafka_topic_partition_t& partition) const;

  const std::size_t prefix_length_;
  OwnershipListener& listener_;
  rd_kafka_t* handle_ = nullptr;
  Queue consumer_queue_;
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

}  // namespace sandtrail::kafka
