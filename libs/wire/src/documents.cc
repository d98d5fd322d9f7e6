// SPDX-License-Identifier: Apache-2.0
#include "wire/documents.h"

#include "codec/schema.h"
#include "domain/core.h"
#include "wire/schema_versions.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

// Members that every event's data may have beside its body's (wire/event_codec.h).
void add_envelope(json::object& schema) {
  json::object& properties = schema["properties"].as_object();
  properties["actor"] = json_schema<Actor>();
  properties["request_id"] = reflect::typed("string");
  properties["decision"] = json_schema<Decision>();
  properties["idempotency"] = json_schema<Idempotency>();
  properties["expected_version"] = reflect::typed("integer");
}

template <typename T>
json::object event_schema() {
  json::object out;
  out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  const std::string version = std::to_string(shipped_versions().current(T::kType));
  out["$id"] = json::value("urn:" + std::string(T::kType) + ":" + version);
  out["title"] = json::value(T::kType);
  json::object body = json_schema<T>();
  for (auto& member : body) out[member.key()] = std::move(member.value());
  add_envelope(out);
  const TypeRule& rule = rule_of(T::kType);
  json::array required;
  if (const auto* found = out.if_contains("required")) required = found->get_array();
  if (rule.actor != ActorRule::none) required.push_back("actor");
  if (rule.decider) required.push_back("decision");
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

json::object channel(std::string_view topic, std::string_view description) {
  json::object out;
  out["address"] = json::value(topic);
  out["description"] = json::value(description);
  out["messages"] = json::object();
  json::object kafka;
  kafka["topic"] = json::value(topic);
  kafka["bindingVersion"] = "0.5.0";
  out["bindings"].emplace_object()["kafka"] = std::move(kafka);
  return out;
}

json::object reference(const std::string& to) {
  json::object out;
  out["$ref"] = json::value(std::string_view(to));
  return out;
}

json::object message(std::string_view type) {
  json::object out;
  out["name"] = json::value(type);
  out["contentType"] = "application/json";
  out["payload"] = reference("events/" + std::string(type) + ".json");
  json::object key;
  key["type"] = "string";
  key["description"] = "id of the organisation; empty where a record belongs to none";
  json::object kafka;
  kafka["key"] = std::move(key);
  kafka["bindingVersion"] = "0.5.0";
  out["bindings"].emplace_object()["kafka"] = std::move(kafka);
  return out;
}

}  // namespace

std::map<std::string, json::object> event_schemas() {
  std::map<std::string, json::object> out;
  for_each_event_type([&out]<typename T>() { out[std::string(T::kType)] = event_schema<T>(); });
  return out;
}

json::object asyncapi_document() {
  json::object channels;
  channels[kEventsTopic] = channel(kEventsTopic,
                                   "Every fact of every organisation, one partition "
                                   "for each organisation's whole history.");
  channels[kPlatformTopic] = channel(kPlatformTopic, "What belongs to no organisation.");
  channels[kAuditTopic] = channel(kAuditTopic, "Entries of the audit log, in the order of leaves.");
  json::object messages;
  for (const auto& [type, schema] : event_schemas()) {
    messages[type] = message(type);
    const std::string topic(topic_of(rule_of(type).topic));
    channels[topic].as_object()["messages"].as_object()[type] =
        reference("#/components/messages/" + type);
  }
  json::object operations;
  for (const char* topic : {kEventsTopic, kPlatformTopic, kAuditTopic}) {
    json::object operation;
    operation["action"] = "receive";
    operation["channel"] = reference(std::string("#/channels/") + topic);
    operations[std::string("read_") + topic] = std::move(operation);
  }
  json::object info;
  info["title"] = "Sandtrail event log";
  info["version"] = "1.0.0";
  info["description"] = "Records are CloudEvents 1.0 in Kafka binary mode.";
  json::object out;
  out["asyncapi"] = "3.0.0";
  out["info"] = std::move(info);
  out["defaultContentType"] = "application/json";
  out["channels"] = std::move(channels);
  out["operations"] = std::move(operations);
  out["components"].emplace_object()["messages"] = std::move(messages);
  return out;
}

}  // namespace sandtrail
