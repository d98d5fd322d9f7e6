// SPDX-License-Identifier: Apache-2.0
#include "admin.h"

#include <array>
#include <thread>

#include "base/clock.h"
#include "obs/log.h"

namespace sandtrail::kafka {
namespace {

constexpr int kWaitStepMs = 50;

const rd_kafka_metadata_topic_t* find_topic(const Metadata& metadata, const std::string& name) {
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (name == metadata->topics[i].topic) return &metadata->topics[i];
  }
  return nullptr;
}

PartitionList one_partition(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return list;
}

// Not denied: whoever may make it will, perhaps in a moment.
Error nobody_made(const std::string& topic) {
  return {ErrorCode::unavailable,
          "topic " + topic + " is not there, and the user of this process may not create it",
          "start the role whose user may (see infra/kafka/acls --creator), or create it as an "
          "administrator with what infra/kafka/topics prints"};
}

Error no_connection(rd_kafka_resp_err_t code, const char* detail) {
  if (code == RD_KAFKA_RESP_ERR__SSL) return {ErrorCode::denied, detail, "see ssl.* of log.kafka"};
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    return {ErrorCode::denied, detail, "see sasl.* of log.kafka: mechanism, user, password"};
  }
  return {ErrorCode::unavailable, detail, ""};
}

}  // namespace

TopicConfig log_topic_config(const KafkaConnection& connection) {
  return {
      {"cleanup.policy", "delete"},
      // The log is the truth: nothing goes by age or size, only by trim().
      {"retention.ms", "-1"},
      {"retention.bytes", "-1"},
      // Time is log time: the stamp is given where the order is.
      {kStampSetting, kStampedByBroker},
      {"min.insync.replicas", std::to_string(connection.min_insync)},
      // A replica that lags behind must not become the truth.
      {"unclean.leader.election.enable", "false"},
  };
}

Status Admin::start() {
  ST_ASSIGN(Conf conf, make_conf(connection_, admin_settings(connection_)));
  ST_ASSIGN(client_,
            Client::start(RD_KAFKA_CONSUMER, std::move(conf), RD_KAFKA_EVENT_ERROR,
                          [this](rd_kafka_t*, rd_kafka_event_t* event) { on_event(event); }));
  return {};
}

// Questions only run out of time when no connection comes about: why stands here.
void Admin::on_event(rd_kafka_event_t* event) {
  if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR) return;
  const auto code = rd_kafka_event_error(event);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  const Error error = no_connection(code, rd_kafka_event_error_string(event));
  const std::lock_guard lock(mutex_);
  const bool told = trouble_.code == ErrorCode::denied;
  if (error.code == ErrorCode::denied && !told) {
    log_warn("the brokers and this process do not trust each other", {{"error", error}});
  }
  trouble_ = error;
}

Error Admin::explained(Error error) {
  const std::lock_guard lock(mutex_);
  if (error.code != ErrorCode::unavailable || trouble_.message.empty()) return error;
  return {error.code, error.message + "; " + trouble_.message, trouble_.hint};
}

Result<Event> Admin::ask(
    rd_kafka_event_type_t answer, Millis timeout,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send,
    rd_kafka_admin_op_t operation, const std::string& what, const Right& right) {
  const Queue queue(rd_kafka_queue_new(client_->raw()));
  const AdminOptions options(rd_kafka_AdminOptions_new(client_->raw(), operation));
  std::array<char, 256> why{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), to_ms(timeout), why.data(), why.size());
  send(options.get(), queue.get());
  // librdkafka keeps the time-out itself; a little more, so that its own error arrives.
  Event event(rd_kafka_queue_poll(queue.get(), to_ms(timeout) + 1000));
  if (!event || rd_kafka_event_type(event.get()) != answer) {
    return Error{ErrorCode::unavailable, what + ": no broker answered", ""};
  }
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error_of(rd_kafka_event_error(event.get()), what, right);
  }
  return event;
}

Result<Metadata> Admin::metadata(const std::string& name, Millis timeout) {
  const Topic topic(rd_kafka_topic_new(client_->raw(), name.c_str(), nullptr));
  const rd_kafka_metadata_t* found = nullptr;
  const auto code = rd_kafka_metadata(client_->raw(), 0, topic.get(), &found, to_ms(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return explained(error_of(code, "metadata of " + name));
  return Metadata(found);
}

Result<std::int32_t> Admin::partitions(const std::string& name) {
  ST_ASSIGN(const Metadata found, metadata(name, limits::kKafkaCallTimeout));
  const auto* topic = find_topic(found, name);
  if (topic == nullptr || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (topic->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) return topic->partition_cnt;
  if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error_of(topic->err, "topic " + name, {"Describe", "topic", name});
  }
  return topic->partition_cnt;
}

Status Admin::still_there(const std::string& name) {
  const auto there = partitions(name);
  if (!there.ok() || *there > 0) return {};
  return Error{ErrorCode::unavailable, "topic " + name + " is gone from the brokers",
               "restore the log, then start every process again"};
}

Status Admin::ensure_topic(const TopicDemand& demand) {
  ST_ASSIGN(std::int32_t there, partitions(demand.name));
  if (there == 0) {
    ST_CHECK_OK(create(demand));
    ST_CHECK_OK(wait_for_leaders(demand));
    there = demand.partitions;
  }
  if (there != demand.partitions) {
    return Error{ErrorCode::conflict,
                 "topic " + demand.name + " has " + std::to_string(there) +
                     " partitions; it should have " + std::to_string(demand.partitions),
                 "the count belongs to the log's identity: set it as it is, or use another prefix"};
  }
  const SystemClock clock;
  const std::int64_t until = clock.monotonic_us() + limits::kKafkaCallTimeout.count * 1000;
  for (;;) {
    const Status fits = check_config(demand);
    // Any broker may be asked, also one that has not heard of the topic yet.
    const bool unheard = !fits.ok() && fits.error().code == ErrorCode::not_found;
    if (!unheard || clock.monotonic_us() > until) return fits;
    pause();
  }
}

Status Admin::create(const TopicDemand& demand) {
  std::array<char, 256> why{};
  const std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>> topic(
      rd_kafka_NewTopic_new(demand.name.c_str(), demand.partitions, connection_.replication,
                            why.data(), why.size()));
  if (!topic) return Error{ErrorCode::invalid_argument, std::string(why.data()), ""};
  for (const auto& [name, value] : demand.config) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const std::string what = "create topic " + demand.name;
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  ST_ASSIGN(const Event event,
            ask(RD_KAFKA_EVENT_CREATETOPICS_RESULT, limits::kKafkaTopicTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_CreateTopics(client_->raw(), topics, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_CREATETOPICS, what, {"Create", "topic", demand.name}));
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    // Another process may have been quicker.
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      continue;
    }
    if (is_refusal(code)) return nobody_made(demand.name);
    Error error = error_of(code, what);
    const char* detail = rd_kafka_topic_result_error_string(results[i]);
    if (detail != nullptr) error.message = what + ": " + detail;
    if (code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR) {
      error.hint = "log.replication and log.min_insync say how many brokers each record needs";
    }
    return error;
  }
  return {};
}

Status Admin::wait_for_leaders(const TopicDemand& demand) {
  const SystemClock clock;
  const std::int64_t until = clock.monotonic_us() + limits::kKafkaTopicTimeout.count * 1000;
  for (;;) {
    ST_ASSIGN(const Metadata found, metadata(demand.name, limits::kKafkaCallTimeout));
    const auto* topic = find_topic(found, demand.name);
    bool led =
        topic != nullptr && topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0;
    for (int i = 0; led && i < topic->partition_cnt; ++i) led = topic->partitions[i].leader >= 0;
    if (led) break;
    if (clock.monotonic_us() > until) {
      return Error{ErrorCode::unavailable, "topic " + demand.name + " has no leaders yet", ""};
    }
    pause();
  }
  // A leader may not know of its office yet. It then refuses a producer's first batch, but takes
  // the second, already on its way: with no state for that producer any sequence number will do.
  // The first, tried again, counts as a duplicate: lost, though told to be stored.
  for (std::int32_t i = 0; i < demand.partitions; ++i) {
    const auto known = marks(demand.name, i);
    if (!known.ok()) return known.error();
  }
  return {};
}

// For what never comes.
void Admin::pause() {
  const Queue nothing(rd_kafka_queue_new(client_->raw()));
  rd_kafka_queue_poll(nothing.get(), kWaitStepMs);
}

Result<Marks> Admin::marks(const std::string& topic, std::int32_t partition) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const SystemClock clock;
  const std::int64_t until = clock.monotonic_us() + limits::kKafkaCallTimeout.count * 1000;
  for (;;) {
    const auto code = rd_kafka_query_watermark_offsets(
        client_->raw(), topic.c_str(), partition, &low, &high, to_ms(limits::kKafkaCallTimeout));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Marks{{low}, {high}};
    // While leadership moves, and for a moment after a topic was made, a broker that is named as
    // the leader may not know either. librdkafka does not ask again by itself.
    const bool moving = code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                        code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                        code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE ||
                        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                        code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    if (!moving || clock.monotonic_us() > until) {
      return explained(error_of(code, "marks of " + topic + "/" + std::to_string(partition),
                                {"Describe", "topic", topic}));
    }
    pause();
  }
}

Status Admin::contact(Millis timeout) {
  const rd_kafka_metadata_t* found = nullptr;
  // Only the brokers: no topic is known to this client by itself.
  const auto code = rd_kafka_metadata(client_->raw(), 0, nullptr, &found, to_ms(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return explained(error_of(code, "no broker answers"));
  const std::lock_guard lock(mutex_);
  trouble_ = {};
  const Metadata owner(found);
  return {};
}

std::string Admin::cluster_id(Millis timeout) {
  char* id = rd_kafka_clusterid(client_->raw(), to_ms(timeout));
  if (id == nullptr) return "";
  std::string out = id;
  rd_kafka_mem_free(client_->raw(), id);
  return out;
}

Status Admin::delete_before(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  const PartitionList list = one_partition(topic, partition, offset);
  const std::unique_ptr<rd_kafka_DeleteRecords_t, Destroyer<rd_kafka_DeleteRecords_destroy>> order(
      rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* orders[] = {order.get()};
  const std::string what = "trim " + topic + "/" + std::to_string(partition);
  const Right right{"Delete", "topic", topic};
  ST_ASSIGN(const Event event,
            ask(
                RD_KAFKA_EVENT_DELETERECORDS_RESULT, limits::kKafkaCallTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_DeleteRecords(client_->raw(), orders, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_DELETERECORDS, what, right));
  const auto* offsets =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < offsets->cnt; ++i) {
    if (offsets->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return error_of(offsets->elems[i].err, what, right);
    }
  }
  return {};
}

}  // namespace sandtrail::kafka
