// SPDX-License-Identifier: Apache-2.0
// Questions and orders to the cluster. Every call blocks for its answer, at most
// limits::kKafkaCallTimeout (ensure_topic: kKafkaTopicTimeout), and is `unavailable` without one.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client.h"
#include "event_log/event_log.h"

namespace sandtrail::kafka {

// name -> value, as the broker's topic settings are called.
using TopicConfig = std::map<std::string, std::string>;

struct TopicDemand {
  std::string name;  // with its prefix
  std::int32_t partitions = 1;
  TopicConfig config;  // made with these; one that exists must have them
};

// What every topic of a log is made with.
TopicConfig log_topic_config(const KafkaConnection& connection);

// Who gives a record its stamp, a setting of its topic: the broker in a log, the writer while the
// topic is being filled by an import.
inline constexpr const char* kStampSetting = "message.timestamp.type";
inline constexpr const char* kStampedByBroker = "LogAppendTime";
inline constexpr const char* kStampedByWriter = "CreateTime";

// Thread-safe.
class Admin {
 public:
  explicit Admin(KafkaConnection connection) : connection_(std::move(connection)) {}
  Status start();

  // conflict: it exists, but differs; the message names how. unavailable also if it does not exist
  // and this user may not make it: somebody else will.
  Status ensure_topic(const TopicDemand& demand);
  // 0: there is none.
  Result<std::int32_t> partitions(const std::string& topic);
  // Every setting of a topic; only those made for it, not the broker's defaults, if `own`.
  Result<TopicConfig> config_of(const std::string& topic, bool own);
  // Gives the topic these settings, and keeps others that were made for it.
  Status change_config(const std::string& topic, const TopicConfig& changes);
  // unavailable: the brokers say that they have no such topic. Ok also if none answers.
  Status still_there(const std::string& topic);
  Result<Marks> marks(const std::string& topic, std::int32_t partition);
  // Asks any broker for anything; unavailable if none answers in time, or none takes this user.
  Status contact(Millis timeout);
  // Nothing tells when another broker leads: waits for a moment, before a question is asked again.
  void pause();
  // Empty if no broker answers in time.
  std::string cluster_id(Millis timeout);
  Status delete_before(const std::string& topic, std::int32_t partition, std::int64_t offset);

  struct Committed {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
  };
  // Positions of a group that nobody is a member of.
  Status commit(const std::string& group, const std::vector<Committed>& positions);
  Result<std::vector<Committed>> committed(const std::string& group);
  Result<std::vector<std::string>> groups(const std::string& prefix);

 private:
  Result<Event> ask(
      rd_kafka_event_type_t answer, Millis timeout,
      const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send,
      rd_kafka_admin_op_t operation, const std::string& what, const Right& right);
  Result<Metadata> metadata(const std::string& topic, Millis timeout);
  Status create(const TopicDemand& demand);
  Status check_config(const TopicDemand& demand);
  Status wait_for_leaders(const TopicDemand& demand);
  void on_event(rd_kafka_event_t* event);
  Error explained(Error error);

  const KafkaConnection connection_;
  std::mutex mutex_;
  Error trouble_;  // the last reason why no connection came about; guarded by mutex_
  std::unique_ptr<Client> client_;
};

}  // namespace sandtrail::kafka
