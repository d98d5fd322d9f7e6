// SPDX-License-Identifier: Apache-2.0
#include "trail.h"

#include <algorithm>

#include "codec/text.h"

namespace sandtrail::gateway {
namespace {

constexpr std::string_view kTypePrefix = "sandtrail.";
constexpr std::string_view kPrivate[] = {"payload", "thread_token", "metadata_tokens",
                                         "host_address", "key"};

// Passes on what is not private.
struct PublicWriter {
  template <typename T>
  void operator()(std::string_view name, const T& member) {
    if (std::find(std::begin(kPrivate), std::end(kPrivate), name) == std::end(kPrivate)) {
      writer(name, member);
    }
  }
  template <typename T>
  void with_default(std::string_view name, const T& member) {
    (*this)(name, member);
  }
  reflect::TextWriter& writer;
};

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
  reflect::TextWriter writer(out.data);
  writer("event", folded.event->id);
  writer("time", folded.stamp);
  writer("position", folded.where.text() + "/" + std::to_string(folded.position.value));
  PublicWriter facts{writer};
  std::visit([&facts]<typename T>(const T& event) { T::fields(event, facts); }, body);
  writer.close();
  return out;
}

}  // namespace sandtrail::gateway
