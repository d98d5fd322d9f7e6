// SPDX-License-Identifier: Apache-2.0
// Settings of topics.
#include "admin.h"

#include "base/clock.h"

namespace sandtrail::kafka {
namespace {

using Resource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Destroyer<rd_kafka_ConfigResource_destroy>>;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// A larger min.insync.replicas promises more.
bool satisfies(const std::string& name, const std::string& found, const std::string& wanted) {
  if (found == wanted) return true;
  return name == "min.insync.replicas" && is_number(found) && is_number(wanted) &&
         std::stoll(found) >= std::stoll(wanted);
}

std::string what_of(const std::string& topic) {
  return "settings of topic " + topic;
}

// Half of a history must not be taken for a log, nor made one by hand.
Error unfinished_copy(const std::string& topic) {
  return {ErrorCode::conflict,
          "topic " + topic + " is an unfinished copy of a log (its writers give the stamps)",
          "run `sandtrail log copy` again, to its end, or use another log.topic_prefix"};
}

}  // namespace

Result<TopicConfig> Admin::config_of(const std::string& topic, bool own) {
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  const std::string what = what_of(topic);
  const Right right{"DescribeConfigs", "topic", topic};
  ST_ASSIGN(const Event event,
            ask(
                RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT, limits::kKafkaCallTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_DescribeConfigs(client_->raw(), resources, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, what, right));
  std::size_t count = 0;
  const auto* described = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return Error{ErrorCode::unavailable, what + ": no answer", ""};
  const auto code = rd_kafka_ConfigResource_error(described[0]);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, what, right);
  std::size_t entries = 0;
  const auto* config = rd_kafka_ConfigResource_configs(described[0], &entries);
  TopicConfig out;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto source = rd_kafka_ConfigEntry_source(config[i]);
    if (own && source != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) continue;
    const char* value = rd_kafka_ConfigEntry_value(config[i]);
    out[rd_kafka_ConfigEntry_name(config[i])] = value == nullptr ? "" : value;
  }
  return out;
}

Status Admin::check_config(const TopicDemand& demand) {
  ST_ASSIGN(const TopicConfig found, config_of(demand.name, false));
  std::string differences;
  bool unfinished = false;
  for (const auto& [name, wanted] : demand.config) {
    const auto there = found.find(name);
    if (there == found.end() || satisfies(name, there->second, wanted)) continue;
    unfinished = unfinished || (name == kStampSetting && there->second == kStampedByWriter);
    differences +=
        (differences.empty() ? "" : ", ") + name + " is " + there->second + " instead of " + wanted;
  }
  if (unfinished) return unfinished_copy(demand.name);
  if (differences.empty()) return {};
  return Error{ErrorCode::conflict, what_of(demand.name) + ": " + differences,
               "change them with kafka-configs.sh --alter, or use another log.topic_prefix"};
}

Status Admin::change_config(const std::string& topic, const TopicConfig& changes) {
  // librdkafka 2.0.2 knows only the call that replaces all of them.
  ST_ASSIGN(TopicConfig wanted, config_of(topic, true));
  for (const auto& [name, value] : changes) wanted[name] = value;
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  for (const auto& [name, value] : wanted) {
    rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
  }
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  const std::string what = "change the " + what_of(topic);
  const Right right{"AlterConfigs", "topic", topic};
  ST_ASSIGN(const Event event,
            ask(
                RD_KAFKA_EVENT_ALTERCONFIGS_RESULT, limits::kKafkaTopicTimeout,
                [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                  rd_kafka_AlterConfigs(client_->raw(), resources, 1, options, queue);
                },
                RD_KAFKA_ADMIN_OP_ALTERCONFIGS, what, right));
  std::size_t count = 0;
  const auto* changed = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_ConfigResource_error(changed[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    Error error = error_of(code, what, right);
    const char* detail = rd_kafka_ConfigResource_error_string(changed[i]);
    if (detail != nullptr && !is_refusal(code)) error.message = what + ": " + detail;
    return error;
  }
  // Every broker hears of it a moment later; asked for until it is so.
  const SystemClock clock;
  const std::int64_t until = clock.monotonic_us() + limits::kKafkaTopicTimeout.count * 1000;
  for (;;) {
    ST_ASSIGN(const TopicConfig now, config_of(topic, false));
    bool all = true;
    for (const auto& [name, value] : changes) {
      const auto there = now.find(name);
      all = all && there != now.end() && there->second == value;
    }
    if (all) return {};
    if (clock.monotonic_us() > until) {
      return Error{ErrorCode::unavailable, what + ": the brokers still say otherwise", ""};
    }
    pause();
  }
}

}  // namespace sandtrail::kafka
