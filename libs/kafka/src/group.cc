// SPDX-License-Identifier: Apache-2.0
#include "group.h"

#include <array>
#include <utility>

#include "obs/log.h"

namespace sandtrail::kafka {
namespace {

constexpr int kPollMs = 1000;

}  // namespace

Result<std::unique_ptr<GroupMember>> GroupMember::join(const KafkaConnection& connection,
                                                       const std::string& group,
                                                       const std::vector<std::string>& topics,
                                                       Millis session_timeout,
                                                       std::shared_ptr<LogState> log,
                                                       OwnershipListener& listener) {
  const std::string name = connection.topic_prefix + group;
  ST_ASSIGN(Conf conf, make_conf(connection, group_settings(name, session_timeout)));
  std::unique_ptr<GroupMember> out(
      new GroupMember(name, connection.topic_prefix.size(), std::move(log), listener));
  rd_kafka_conf_set_opaque(conf.get(), out.get());
  rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
  std::array<char, 512> why{};
  out->handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size());
  if (out->handle_ == nullptr) {
    return Error{ErrorCode::invalid_argument, std::string("no Kafka client: ") + why.data(), ""};
  }
  conf.release();
  rd_kafka_poll_set_consumer(out->handle_);
  out->consumer_queue_.reset(rd_kafka_queue_get_consumer(out->handle_));
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), (connection.topic_prefix + topic).c_str(),
                                      RD_KAFKA_PARTITION_UA);
  }
  const auto code = rd_kafka_subscribe(out->handle_, list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "join " + group);
  out->thread_ = std::thread([member = out.get()] { member->run(); });
  return out;
}

GroupMember::~GroupMember() {
  if (handle_ == nullptr) return;
  leaving_ = true;
  rd_kafka_queue_yield(consumer_queue_.get());
  if (thread_.joinable()) thread_.join();
  consumer_queue_.reset();
  destroy_in_time(handle_, 0);
}

void GroupMember::run() {
  while (!leaving_) {
    // Only calls back and errors come this way: what is assigned is paused.
    const Message message(rd_kafka_consumer_poll(handle_, kPollMs));
    if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) on_error(*message);
  }
  // Revokes, then leaves: others need not wait for the session to end.
  rd_kafka_consumer_close(handle_);
  for (const TopicPartition& where : std::exchange(owned_, {})) listener_.on_lost(where);
}

void GroupMember::on_error(const rd_kafka_message_t& message) {
  log_debug("group", {{"error", rd_kafka_message_errstr(&message)}});
  if (!is_refusal(message.err)) return;
  const std::string act = "join group " + group_;
  if (message.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && message.rkt != nullptr) {
    const Right right{"Describe", "topic", rd_kafka_topic_name(message.rkt)};
    return log_->refusals.note(act, lacks(act, right), false);
  }
  log_->refusals.note(act, lacks(act, {"Read", "group", group_}), false);
}

void GroupMember::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                               rd_kafka_topic_partition_list_t* partitions, void* self) {
  auto* member = static_cast<GroupMember*>(self);
  // The call must assign or unassign itself, or the group waits for ever.
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    member->assigned(partitions);
  } else {
    member->taken(*partitions);
    rd_kafka_assign(handle, nullptr);
  }
}

void GroupMember::assigned(rd_kafka_topic_partition_list_t* partitions) {
  log_->refusals.allow("join group " + group_);
  // An explicit offset: nothing is committed to this group that could be asked for.
  for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = 0;
  rd_kafka_assign(handle_, partitions);
  rd_kafka_pause_partitions(handle_, partitions);
  for (int i = 0; i < partitions->cnt; ++i) {
    const TopicPartition where = name_of(partitions->elems[i]);
    if (owned_.insert(where).second) listener_.on_assigned(where);
  }
}

void GroupMember::taken(const rd_kafka_topic_partition_list_t& partitions) {
  const bool lost = rd_kafka_assignment_lost(handle_) != 0;
  for (int i = 0; i < partitions.cnt; ++i) {
    const TopicPartition where = name_of(partitions.elems[i]);
    // A member that leaves as it joins may be told to give up what it was never told it has.
    if (owned_.erase(where) == 0) continue;
    if (lost) {
      listener_.on_lost(where);
    } else {
      listener_.on_revoked(where);
    }
  }
}

TopicPartition GroupMember::name_of(const rd_kafka_topic_partition_t& partition) const {
  return {std::string(partition.topic).substr(prefix_length_), partition.partition};
}

}  // namespace sandtrail::kafka
