// SPDX-License-Identifier: Apache-2.0
#include "trail.h"

#include "codec/reflect.h"

namespace sandtrail::gateway {
namespace {

constexpr std::string_view kTypePrefix = "sandtrail.";
constexpr std::string_view kPrivate[] = {"payload", "thread_token", "metadata_tokens",
                                         "host_address", "key"};

}  // namespace

std::optional<ExecutionId> trail_of(const EventBody& body) {
  return std::visit(
      []<typename T>(const T& event) -> std::optional<ExecutionId> {
        constexpr bool mine =
            T::kType.starts_with("sandtrail.execution.") || std::is_same_v<T, BillingSettled>;
        if constexpr (mine) return event.execution;
        return std::nullopt;
      },
      body);
}

TrailDoc public_event(const Folded& folded) {
  const EventBody& body = folded.event->body;
  TrailDoc out;
  out.event = type_of(body).substr(kTypePrefix.size());
  json::object data;
  data["event"] = json::value(std::string_view(folded.event->id.text()));
  data["time"] = json::value(std::string_view(rfc3339(folded.stamp)));
  data["position"] = json::value(
      std::string_view(folded.where.text() + "/" + std::to_string(folded.position.value)));
  json::value facts = std::visit([](const auto& event) { return to_json(event); }, body);
  for (const auto name : kPrivate) facts.as_object().erase(name);
  for (auto& member : facts.as_object()) data[member.key()] = std::move(member.value());
  out.data = json::print(data);
  return out;
}

}  // namespace sandtrail::gateway
