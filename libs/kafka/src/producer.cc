// SPDX-License-Identifier: Apache-2.0
#include "producer.h"

#include <array>
#include <mutex>

#include "event_log/checks.h"
#include "obs/log.h"

namespace sandtrail::kafka {
namespace {

constexpr int kPurgeMs = 10'000;
constexpr const char* kAnyAppend = "append";

std::string act_of(const Partition& to) {
  return "append to " + to.topic;
}

AppendOutcome refused(Error error) {
  AppendOutcome outcome;
  outcome.kind = AppendOutcome::Kind::not_committed;
  outcome.error = std::move(error);
  return outcome;
}

Error overloaded() {
  return {ErrorCode::overloaded, "too many records wait for the broker", ""};
}

}  // namespace

struct Producer::Instance {
  std::mutex topics_mutex;
  std::map<std::string, Topic> topics;
  std::unique_ptr<Client> client;
  ~Instance() { topics.clear(); }  // before the client
};

// What librdkafka carries for each record.
struct Producer::Pending {
  Producer& producer;
  std::shared_ptr<Partition> to;
  AppendDone done;
  std::size_t bytes;
};

Producer::Producer(KafkaConnection connection, Millis append_timeout, Millis linger,
                   Refusals& refusals, std::function<void()> on_fatal)
    : connection_(std::move(connection)),
      append_timeout_(append_timeout),
      linger_(linger),
      refusals_(refusals),
      on_fatal_(std::move(on_fatal)) {}

Producer::~Producer() {
  close({0});
}

Result<std::shared_ptr<Producer::Instance>> Producer::make() {
  ST_ASSIGN(Conf conf, make_conf(connection_, producer_settings(append_timeout_, linger_)));
  auto instance = std::make_shared<Instance>();
  ST_ASSIGN(instance->client,
            Client::start(
                RD_KAFKA_PRODUCER, std::move(conf), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR,
                [this](rd_kafka_t* client, rd_kafka_event_t* event) { on_event(client, event); }));
  return instance;
}

Status Producer::start() {
  ST_ASSIGN(instance_, make());
  return {};
}

rd_kafka_topic_t* Producer::topic(Instance& instance, const std::string& name) {
  const std::lock_guard lock(instance.topics_mutex);
  Topic& topic = instance.topics[name];
  if (!topic) topic.reset(rd_kafka_topic_new(instance.client->raw(), name.c_str(), nullptr));
  return topic.get();
}

void Producer::warm_up(const std::string& name) {
  std::shared_ptr<Instance> instance;
  {
    const std::shared_lock lock(mutex_);
    instance = instance_;
  }
  if (!instance) return;
  const rd_kafka_metadata_t* found = nullptr;
  // Without an answer the first record just takes longer.
  if (rd_kafka_metadata(instance->client->raw(), 0, topic(*instance, name), &found,
                        to_ms(limits::kKafkaCallTimeout)) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const Metadata owner(found);
  }
}

// Why a record of that size is not taken now. mutex_ is held.
std::optional<Error> Producer::refusal(std::size_t bytes) const {
  if (closed_) return closed_error();
  if (!instance_ || !broken_.empty()) {
    return Error{ErrorCode::unavailable, "the producer is being renewed: " + broken_, ""};
  }
  if (records_.load() >= limits::kAppendQueueRecordsMax ||
      bytes_.load() + bytes > limits::kAppendQueueBytesMax) {
    return overloaded();
  }
  return std::nullopt;
}

std::optional<Error> Producer::append(const Outgoing& outgoing, AppendDone&& done) {
  std::size_t bytes = outgoing.key.size() + (outgoing.value ? outgoing.value->size() : 0);
  if (outgoing.headers != nullptr) {
    for (const auto& [name, value] : *outgoing.headers) bytes += name.size() + value.size();
  }
  const std::shared_lock lock(mutex_);
  if (auto error = refusal(bytes)) return error;
  auto pending = std::make_unique<Pending>(Pending{*this, outgoing.to, std::move(done), bytes});
  ++records_;
  bytes_ += bytes;
  const rd_kafka_resp_err_t code = hand_over(*instance_, outgoing, pending.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    pending.release();  // comes back with its report
    return std::nullopt;
  }
  --records_;
  bytes_ -= bytes;
  done = std::move(pending->done);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return overloaded();
  // A topic that was refused before is refused by librdkafka itself, until it asks the broker anew.
  return append_error(code, *outgoing.to);
}

// NO_ERROR: `pending` now belongs to the record.
rd_kafka_resp_err_t Producer::hand_over(Instance& instance, const Outgoing& outgoing,
                                        Pending* pending) {
  HeaderList headers;
  if (outgoing.headers != nullptr && !outgoing.headers->empty()) {
    headers.reset(rd_kafka_headers_new(outgoing.headers->size()));
    for (const auto& [name, value] : *outgoing.headers) {
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                          value.data(), static_cast<ssize_t>(value.size()));
    }
  }
  rd_kafka_vu_t values[8] = {};
  std::size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> auto& {
    values[count].vtype = type;
    return values[count++].u;
  };
  add(RD_KAFKA_VTYPE_RKT).rkt = topic(instance, outgoing.to->topic);
  add(RD_KAFKA_VTYPE_PARTITION).i32 = outgoing.to->where.partition;
  add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  auto& key = add(RD_KAFKA_VTYPE_KEY).mem;
  key.ptr = const_cast<char*>(outgoing.key.data());
  key.size = outgoing.key.size();
  if (outgoing.value) {
    auto& value = add(RD_KAFKA_VTYPE_VALUE).mem;
    value.ptr = const_cast<char*>(outgoing.value->data());
    value.size = outgoing.value->size();
  }
  add(RD_KAFKA_VTYPE_OPAQUE).ptr = pending;
  if (outgoing.stamp) add(RD_KAFKA_VTYPE_TIMESTAMP).i64 = outgoing.stamp->count;
  if (headers) add(RD_KAFKA_VTYPE_HEADERS).headers = headers.get();
  const KafkaError error(rd_kafka_produceva(instance.client->raw(), values, count));
  if (error) return rd_kafka_error_code(error.get());
  headers.release();  // its own, now that it took the record
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Producer::on_event(rd_kafka_t* client, rd_kafka_event_t* event) {
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
    // One event for each batch of a partition.
    if (on_batch_) on_batch_(rd_kafka_event_message_count(event));
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
      const std::unique_ptr<Pending> pending(static_cast<Pending*>(message->_private));
      answer(*pending, *message);
    }
    return;
  }
  if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR) return;
  // A fatal error is not told by itself: it must be asked for.
  if (rd_kafka_event_error_is_fatal(event) != 0) {
    on_broken(client, rd_kafka_event_error_string(event));
  }
}

void Producer::on_broken(rd_kafka_t* client, const std::string& why) {
  {
    const std::unique_lock lock(mutex_);
    broken_ = why;
  }
  std::array<char, 8> unused{};
  const auto cause = rd_kafka_fatal_error(client, unused.data(), unused.size());
  if (cause == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
    // Idempotence is for whoever may write to some topic.
    const Right right{"Write", "topic", connection_.topic_prefix + "events"};
    return refusals_.note(kAnyAppend, lacks("append to any topic", right), true);
  }
  log_warn("the producer broke and is made anew", {{"error", why}});
  on_fatal_();
}

Error Producer::append_error(rd_kafka_resp_err_t code, const Partition& to) {
  const std::string act = act_of(to);
  Error error = error_of(code, act, {"Write", "topic", to.topic});
  if (is_refusal(code)) refusals_.note(act, error, true);
  // A topic is only appended to once it was there. If it is gone, so is the log.
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::unavailable;
  return error;
}

AppendOutcome Producer::outcome_of(Pending& pending, const rd_kafka_message_t& message) {
  AppendOutcome outcome;
  const auto status = rd_kafka_message_status(&message);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0) {
    outcome.kind = AppendOutcome::Kind::committed;
    outcome.position = {message.offset};
    rd_kafka_timestamp_type_t type{};
    outcome.stamp = {rd_kafka_message_timestamp(&message, &type)};
    pending.to->raise_high(message.offset + 1);
    Refusals& refusals = pending.producer.refusals_;
    if (!refusals.none()) {
      refusals.allow(kAnyAppend);
      refusals.allow(act_of(*pending.to));
    }
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Stored by an earlier try whose answer was lost, and nobody says where; or not stored at all,
    // when a new leader took a later batch first (Admin::wait_for_leaders says how).
    outcome.error = {ErrorCode::unknown_outcome, "stored at a position that is not known", ""};
  } else if (status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    outcome = refused(pending.producer.append_error(message.err, *pending.to));
  } else {
    outcome.error = {ErrorCode::unknown_outcome,
                     std::string("append: ") + rd_kafka_err2str(message.err), ""};
  }
  return outcome;
}

void Producer::answer(Pending& pending, const rd_kafka_message_t& message) {
  const AppendOutcome outcome = outcome_of(pending, message);
  --pending.producer.records_;
  pending.producer.bytes_ -= pending.bytes;
  pending.done(outcome);
}

// Everything that `instance` holds is answered before it goes.
void Producer::retire(const std::shared_ptr<Instance>& instance) {
  rd_kafka_t* raw = instance->client->raw();
  rd_kafka_purge(raw, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(raw, kPurgeMs);
}

Status Producer::renew() {
  std::shared_ptr<Instance> old;
  {
    const std::unique_lock lock(mutex_);
    if (closed_ || broken_.empty() || refusals_.just_noted(kAnyAppend)) return {};
    old = std::exchange(instance_, nullptr);
  }
  if (old) retire(old);
  old.reset();
  ST_ASSIGN(auto fresh, make());
  const std::unique_lock lock(mutex_);
  if (closed_) return {};
  instance_ = std::move(fresh);
  broken_.clear();
  return {};
}

void Producer::close(Millis deadline) {
  std::shared_ptr<Instance> instance;
  {
    const std::unique_lock lock(mutex_);
    closed_ = true;
    instance = std::exchange(instance_, nullptr);
  }
  if (!instance) return;
  if (deadline.count > 0) rd_kafka_flush(instance->client->raw(), to_ms(deadline));
  retire(instance);
}

std::string Producer::broken() const {
  const std::shared_lock lock(mutex_);
  return broken_;
}

}  // namespace sandtrail::kafka
