// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "codec/schema.h"
#include "domain/ledger.h"
#include "openapi.h"
#include "problems.h"
#include "requests.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

// The `data` of a message about an ended execution, as the webhooks role sends it.
struct MessageData {
  ExecutionId id;
  OrgId organization;
  ExecutionStatus status = ExecutionStatus::finished;
  std::optional<std::string> language;
  UnixMs created;
  UnixMs ended;
  std::optional<std::string> reason;
  std::optional<std::string> detail;
  std::optional<Verdict> verdict;
  std::optional<std::string> cause;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  std::optional<ExecutionUsage> usage;
  bool output_omitted = false;
  StreamView out;
  StreamView err;
  std::optional<std::string> thread;
  std::map<std::string, std::string> metadata;
  std::string url;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("organization", s.organization);
    v("status", s.status);
    v("language", s.language);
    v("created_at", s.created);
    v("ended_at", s.ended);
    v("reason", s.reason);
    v("detail", s.detail);
    v("verdict", s.verdict);
    v("cause", s.cause);
    v("exit_code", s.exit_code);
    v("signal", s.signal);
    v("usage", s.usage);
    v("output_omitted", s.output_omitted);
    v("stdout", s.out.text);
    v("stdout_base64", s.out.base64);
    v("stdout_truncated", s.out.truncated);
    v("stderr", s.err.text);
    v("stderr_base64", s.err.base64);
    v("stderr_truncated", s.err.truncated);
    v("thread", s.thread);
    v("metadata", s.metadata);
    v("url", s.url);
  }
};

struct ProblemView {
  std::string type;
  std::string title;
  std::int64_t status = 0;
  std::optional<std::string> detail;
  std::optional<std::string> instance;
  std::string code;
  std::optional<std::string> request_id;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("type", s.type);
    v("title", s.title);
    v("status", s.status);
    v("detail", s.detail);
    v("instance", s.instance);
    v("code", s.code);
    v("request_id", s.request_id);
  }
};

json::object reference(std::string_view name) {
  json::object out;
  out["$ref"] = json::value(std::string_view("#/components/schemas/" + std::string(name)));
  return out;
}

// Strict, as requests are read.
template <typename T>
json::object request_schema() {
  json::object out = json_schema<T>();
  out["additionalProperties"] = false;
  return out;
}

json::object list_of(std::string_view item) {
  json::object data = reflect::typed("array");
  data["items"] = reference(item);
  return data;
}

json::object page_of(std::string_view item) {
  json::object cursor;
  cursor["type"] = json::array{"string", "null"};
  json::object properties;
  properties["data"] = list_of(item);
  properties["next_cursor"] = std::move(cursor);
  properties["has_more"] = reflect::typed("boolean");
  json::object out = reflect::typed("object");
  out["properties"] = std::move(properties);
  out["required"] = json::array{"data", "next_cursor", "has_more"};
  return out;
}

void bound(json::object& properties, std::string_view name, std::int64_t low, std::int64_t high) {
  json::object& schema = properties[name].as_object();
  schema["minimum"] = low;
  schema["maximum"] = high;
}

json::object execution_request() {
  json::object out = request_schema<ExecutionRequest>();
  out["description"] =
      "Either language and code, or a command. Of stdin and stdin_base64, as of content and "
      "content_base64, at most one. Limits that are left out are those of the language.";
  json::object& properties = out["properties"].as_object();
  bound(properties, "max_attempts", 1, limits::kAttemptsMax);
  json::object& bounds = properties["limits"].as_object()["properties"].as_object();
  bound(bounds, "wall_ms", limits::kWallMsMin, limits::kWallMsMax);
  bound(bounds, "memory_mib", limits::kMemoryMibMin, limits::kMemoryMibMax);
  bound(bounds, "cpu_millis", limits::kCpuMillisMin, limits::kCpuMillisMax);
  bound(bounds, "processes", limits::kProcessesMin, limits::kProcessesMax);
  bound(bounds, "disk_mib", limits::kDiskMibMin, limits::kDiskMibMax);
  bound(bounds, "output_bytes", 0, limits::kOutputBytesMax);
  properties["network"].as_object()["enum"] = json::array{"none"};
  json::object named = reflect::typed("string");
  named["enum"] = json::array{"1h", "24h", "7d", "30d", "indefinite"};
  json::object seconds_only;
  seconds_only["seconds"] = reflect::typed("integer");
  bound(seconds_only, "seconds", limits::kRetentionMin.count / 1000,
        limits::kRetentionMax.count / 1000);
  json::object span = reflect::typed("object");
  span["properties"] = std::move(seconds_only);
  span["required"] = json::array{"seconds"};
  span["additionalProperties"] = false;
  json::object retention;
  retention["oneOf"] = json::array{std::move(named), std::move(span)};
  properties["retention"] = std::move(retention);
  return out;
}

json::object problem() {
  json::object out = json_schema<ProblemView>();
  json::object& properties = out["properties"].as_object();
  json::array codes;
  for (const auto& kind : problem_kinds()) codes.push_back(json::value(kind.code));
  properties["code"].as_object()["enum"] = std::move(codes);
  json::object item = reflect::typed("object");
  json::object parts;
  parts["pointer"] = reflect::typed("string");
  parts["detail"] = reflect::typed("string");
  item["properties"] = std::move(parts);
  json::object errors = reflect::typed("array");
  errors["items"] = std::move(item);
  properties["errors"] = std::move(errors);
  return out;
}

json::object message() {
  json::object type = reflect::typed("string");
  json::array types;
  for (const auto name : message_types()) types.push_back(json::value(name));
  type["enum"] = std::move(types);
  json::object timestamp = reflect::typed("string");
  timestamp["format"] = "date-time";
  json::object properties;
  properties["type"] = std::move(type);
  properties["timestamp"] = std::move(timestamp);
  properties["data"] = json_schema<MessageData>();
  json::object out = reflect::typed("object");
  out["description"] = "Signed as Standard Webhooks 1.0.0 says; webhook-id stays over retries.";
  out["properties"] = std::move(properties);
  out["required"] = json::array{"type", "timestamp", "data"};
  return out;
}

json::object text_of(std::string_view media_type, std::string_view description) {
  json::object out = reflect::typed("string");
  out["description"] = json::value(description);
  out["x-media-type"] = json::value(media_type);
  return out;
}

}  // namespace

std::span<const std::string_view> message_types() {
  static constexpr std::string_view types[] = {"execution.finished", "execution.rejected",
                                               "execution.cancelled", "execution.lost"};
  return types;
}

json::object component_schemas() {
  json::object out;
  out["Problem"] = problem();
  out["ExecutionRequest"] = execution_request();
  out["Execution"] = json_schema<ExecutionView>();
  out["Execution"].as_object()["description"] =
      "Members without a value, and empty lists and maps, are left out. Of an erased execution "
      "neither output nor metadata nor thread is shown; lists show no output.";
  out["ExecutionPage"] = page_of("Execution");
  out["EventStream"] = text_of("text/event-stream",
                               "id: position in the partition; event: type; data: facts as JSON.");
  out["OutputStream"] = text_of(
      "text/event-stream",
      "Data is JSON. attempt {number}: its output follows, from offset 0. stdout and stderr "
      "{offset, text or base64}: bytes at an offset of the attempt's stream; base64 where they are "
      "not UTF-8, or mostly control characters. truncated {stream, offset}: the program wrote more "
      "than is kept. gap {reason}: nothing comes live for now (host_unreachable, overloaded, "
      "memory, unavailable); what is missed comes later, at the latest before the end. finished "
      "{status, verdict, exit_code, signal, reason, stdout_bytes, stdout_truncated, stderr_bytes, "
      "stderr_truncated, erased}: the last.");
  out["WebhookEndpointRequest"] = request_schema<EndpointRequest>();
  out["WebhookEndpoint"] = json_schema<EndpointView>();
  out["WebhookEndpointPage"] = page_of("WebhookEndpoint");
  out["Delivery"] = json_schema<DeliveryView>();
  out["DeliveryPage"] = page_of("Delivery");
  out["Balance"] = json_schema<BalanceView>();
  out["LedgerEntry"] = json_schema<LedgerEntry>();
  out["LedgerPage"] = page_of("LedgerEntry");
  out["AuditEntry"] = json_schema<AuditView>();
  out["AuditPage"] = page_of("AuditEntry");
  out["SignedNote"] = text_of("text/plain", "A C2SP signed note.");
  out["ApiKeyRequest"] = request_schema<ApiKeyRequest>();
  out["ApiKey"] = json_schema<ApiKeyView>();
  out["ApiKeyPage"] = page_of("ApiKey");
  out["Language"] = json_schema<LanguageView>();
  json::object languages;
  languages["data"] = list_of("Language");
  json::object list = reflect::typed("object");
  list["properties"] = std::move(languages);
  list["required"] = json::array{"data"};
  out["LanguageList"] = std::move(list);
  out["OpenApi"] = reflect::typed("object");
  out["Message"] = message();
  return out;
}

}  // namespace sandtrail::gateway
