// SPDX-License-Identifier: Apache-2.0
// Offsets of groups: where positions are kept that consumers report.
#include "admin.h"

namespace sandtrail::kafka {

Status Admin::commit(const std::string& group, const std::vector<Committed>& positions) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const Committed& one : positions) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition)->offset =
        one.offset;
  }
  const std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t,
                        Destroyer<rd_kafka_AlterConsumerGroupOffsets_destroy>>
      order(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* orders[] = {order.get()};
  const std::string what = "report positions of " + group;
  const Right right{"Read", "group", group};
  ST_ASSIGN(const Event event,
            ask(
                RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT, limits::kKafkaCallTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_AlterConsumerGroupOffsets(client_->raw(), orders, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, what, right));
  std::size_t count = 0;
  const auto* results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* error = rd_kafka_group_result_error(results[i]);
    if (error != nullptr) return error_of(rd_kafka_error_code(error), what, right);
    const auto* partitions = rd_kafka_group_result_partitions(results[i]);
    for (int p = 0; partitions != nullptr && p < partitions->cnt; ++p) {
      const auto code = partitions->elems[p].err;
      if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        return lacks(what, {"Read", "topic", partitions->elems[p].topic});
      }
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, what, right);
    }
  }
  return {};
}

Result<std::vector<Admin::Committed>> Admin::committed(const std::string& group) {
  const std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                        Destroyer<rd_kafka_ListConsumerGroupOffsets_destroy>>
      order(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* orders[] = {order.get()};
  const std::string what = "positions of " + group;
  const Right right{"Describe", "group", group};
  ST_ASSIGN(const Event event,
            ask(
                RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT, limits::kKafkaCallTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_ListConsumerGroupOffsets(client_->raw(), orders, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, what, right));
  std::size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  std::vector<Committed> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* error = rd_kafka_group_result_error(results[i]);
    if (error != nullptr) return error_of(rd_kafka_error_code(error), what, right);
    const auto* partitions = rd_kafka_group_result_partitions(results[i]);
    for (int p = 0; partitions != nullptr && p < partitions->cnt; ++p) {
      const auto& one = partitions->elems[p];
      if (one.offset >= 0) out.push_back({one.topic, one.partition, one.offset});
    }
  }
  return out;
}

Result<std::vector<std::string>> Admin::groups(const std::string& prefix) {
  ST_ASSIGN(const Event event,
            ask(RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT, limits::kKafkaCallTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_ListConsumerGroups(client_->raw(), options, queue);
                },
                RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, "list of groups",
                {"Describe", "group", prefix + "*"}));
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event.get());
  std::size_t errors = 0;
  const auto* error = rd_kafka_ListConsumerGroups_result_errors(result, &errors);
  if (errors > 0) return error_of(rd_kafka_error_code(error[0]), "list of groups");
  std::size_t count = 0;
  const auto* valid = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = rd_kafka_ConsumerGroupListing_group_id(valid[i]);
    if (name.starts_with(prefix)) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace sandtrail::kafka
