// SPDX-License-Identifier: Apache-2.0
// Appends to explicit partitions by an idempotent producer, which is made anew after a fatal error.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

#include "client.h"
#include "event_log/event_log.h"
#include "partition.h"
#include "refusals.h"

namespace sandtrail::kafka {

struct Outgoing {
  std::shared_ptr<Partition> to;  // its high mark rises before `done` says that it is committed
  BytesView key;
  const Headers* headers = nullptr;
  std::optional<BytesView> value;  // nullopt: a tombstone
  // For a topic that is stamped by its writers; else left to the broker.
  std::optional<UnixMs> stamp = {};
};

// Thread-safe. The topic and partition must exist: librdkafka 2.0.2 frees headers twice otherwise
// (fixed in 2.12), and a broker may create what is asked for.
class Producer {
 public:
  // `on_fatal` is called on a thread of the instance that broke: renew() must be called on another.
  // Topics that may not be written go to `refusals`, which must outlive the producer.
  Producer(KafkaConnection connection, Millis append_timeout, Millis linger, Refusals& refusals,
           std::function<void()> on_fatal);
  ~Producer();

  // Before start(): is told how many records were answered together.
  void on_batch(std::function<void(std::size_t)> tell) { on_batch_ = std::move(tell); }
  Status start();
  // Asks for the topic's metadata, so that its first record does not wait for it: up to 1.0 s
  // before librdkafka 2.10.1, against 0.1 ms.
  void warm_up(const std::string& topic);
  // Takes the record; `done` is then called exactly once, on the producer's thread. Or says why it
  // is not taken, and `done` is left alone: overloaded when the queue is full.
  std::optional<Error> append(const Outgoing& outgoing, AppendDone&& done);

  // Ends the instance that is broken: what it held is NotCommitted or Unknown. Then starts another.
  Status renew();
  // Refuses what comes later, waits until all is answered, at most `deadline`; the rest is Unknown.
  void close(Millis deadline);
  // Reason why appends are refused; empty if they are not.
  std::string broken() const;

 private:
  struct Instance;
  struct Pending;
  static void answer(Pending& pending, const rd_kafka_message_t& message);
  static AppendOutcome outcome_of(Pending& pending, const rd_kafka_message_t& message);
  Result<std::shared_ptr<Instance>> make();
  std::optional<Error> refusal(std::size_t bytes) const;
  Error append_error(rd_kafka_resp_err_t code, const Partition& to);
  void on_event(rd_kafka_t* client, rd_kafka_event_t* event);
  void on_broken(rd_kafka_t* client, const std::string& why);
  rd_kafka_topic_t* topic(Instance& instance, const std::string& name);
  rd_kafka_resp_err_t hand_over(Instance& instance, const Outgoing& outgoing, Pending* pending);
  void retire(const std::shared_ptr<Instance>& instance);

  const KafkaConnection connection_;
  const Millis append_timeout_;
  const Millis linger_;
  Refusals& refusals_;
  const std::function<void()> on_fatal_;
  std::function<void(std::size_t)> on_batch_;
  std::atomic<std::size_t> records_{0};  // not answered yet
  std::atomic<std::size_t> bytes_{0};
  mutable std::shared_mutex mutex_;  // appends share it; renew() and close() change the instance
  std::shared_ptr<Instance> instance_;
  std::string broken_;  // guarded by mutex_
  bool closed_ = false;
};

}  // namespace sandtrail::kafka
