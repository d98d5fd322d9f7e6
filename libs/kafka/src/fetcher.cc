// SPDX-License-Identifier: Apache-2.0
#include "fetcher.h"

namespace sandtrail::kafka {
namespace {

PartitionList list_of(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return list;
}

}  // namespace

// One consumer and what it reads.
struct Fetcher::Assignment::Shared {
  std::unique_ptr<Client> client;
  std::mutex mutex;
  std::set<std::pair<std::string, std::int32_t>> assigned;
  std::set<std::string> known;  // topics whose metadata was asked for

  // Without it librdkafka looks only every second whether a topic that is new to it has leaders.
  void warm_up(const std::string& topic) {
    {
      const std::lock_guard lock(mutex);
      if (!known.insert(topic).second) return;
    }
    const Topic handle(rd_kafka_topic_new(client->raw(), topic.c_str(), nullptr));
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(client->raw(), 0, handle.get(), &found,
                          to_ms(limits::kKafkaCallTimeout)) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Metadata owner(found);
    }
  }
};

Result<std::shared_ptr<Fetcher::Assignment::Shared>> Fetcher::consumer_without(
    const std::pair<std::string, std::int32_t>& partition) {
  const std::lock_guard lock(mutex_);
  for (const auto& consumer : consumers_) {
    const std::lock_guard its_lock(consumer->mutex);
    if (consumer->assigned.insert(partition).second) return consumer;
  }
  ST_ASSIGN(Conf conf, make_conf(connection_, fetcher_settings(connection_, prefetch_bytes_)));
  auto made = std::make_shared<Assignment::Shared>();
  ST_ASSIGN(made->client, Client::start(RD_KAFKA_CONSUMER, std::move(conf), RD_KAFKA_EVENT_ERROR,
                                        [](rd_kafka_t*, rd_kafka_event_t*) {}));
  made->assigned.insert(partition);
  consumers_.push_back(made);
  return made;
}

Result<std::unique_ptr<Fetcher::Assignment>> Fetcher::assign(const std::string& topic,
                                                             std::int32_t partition,
                                                             std::int64_t offset,
                                                             void (*on_arrival)(rd_kafka_t*, void*),
                                                             void* opaque) {
  ST_ASSIGN(auto shared, consumer_without({topic, partition}));
  std::unique_ptr<Assignment> out(new Assignment());
  out->shared_ = shared;
  out->topic_ = topic;
  out->partition_ = partition;
  shared->warm_up(topic);
  rd_kafka_t* raw = shared->client->raw();
  out->queue_.reset(rd_kafka_queue_get_partition(raw, topic.c_str(), partition));
  if (!out->queue_) return Error{ErrorCode::internal, "no queue for " + topic, ""};
  // Before the assignment, or what is fetched first goes to the consumer's common queue.
  rd_kafka_queue_forward(out->queue_.get(), nullptr);
  rd_kafka_queue_cb_event_enable(out->queue_.get(), on_arrival, opaque);
  const PartitionList list = list_of(topic, partition, offset);
  const KafkaError error(rd_kafka_incremental_assign(raw, list.get()));
  if (error) return error_of(error, "read " + topic);
  return out;
}

Fetcher::Assignment::~Assignment() {
  rd_kafka_t* raw = shared_->client->raw();
  if (queue_) {
    rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
    const PartitionList list = list_of(topic_, partition_, 0);
    const KafkaError ignored(rd_kafka_incremental_unassign(raw, list.get()));
    // What was fetched and not read goes with its queue.
    while (Message(rd_kafka_consume_queue(queue_.get(), 0))) {
    }
  }
  queue_.reset();
  const std::lock_guard lock(shared_->mutex);
  shared_->assigned.erase({topic_, partition_});
}

Message Fetcher::Assignment::next(Millis timeout) {
  return Message(rd_kafka_consume_queue(queue_.get(), to_ms(timeout)));
}

bool Fetcher::Assignment::again(std::int64_t offset) {
  const PartitionList list = list_of(topic_, partition_, offset);
  const KafkaError error(rd_kafka_seek_partitions(shared_->client->raw(), list.get(),
                                                  to_ms(limits::kKafkaCallTimeout)));
  return !error && list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::int64_t Fetcher::Assignment::high_mark() const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto code = rd_kafka_get_watermark_offsets(shared_->client->raw(), topic_.c_str(),
                                                   partition_, &low, &high);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}

}  // namespace sandtrail::kafka
