// SPDX-License-Identifier: Apache-2.0
#include "domain/notify.h"

#include <algorithm>

namespace sandtrail {

std::string message_type_of(ExecutionStatus status) {
  return "execution." + std::string(enum_text(status));
}

bool filter_matches(const std::vector<std::string>& filters, std::string_view message_type) {
  return filters.empty() ||
         std::any_of(filters.begin(), filters.end(), [message_type](std::string_view filter) {
           if (!filter.ends_with(".*")) return filter == message_type;
           return message_type.starts_with(filter.substr(0, filter.size() - 1));
         });
}

bool filter_is_valid(std::string_view filter) {
  if (filter == "execution.*") return true;
  for (const auto status : {ExecutionStatus::finished, ExecutionStatus::rejected,
                            ExecutionStatus::cancelled, ExecutionStatus::lost}) {
    if (filter == message_type_of(status)) return true;
  }
  return false;
}

std::vector<std::string> receivers_of(const CoreState& state, const ExecutionRow& row) {
  std::vector<std::string> out;
  const std::string message_type = message_type_of(row.status);
  for (const EndpointId& id : state.orgs.find(row.org)->endpoints) {
    const EndpointRow* endpoint = state.endpoints.find(id);
    if (endpoint->disabled_reason.empty() && filter_matches(endpoint->events, message_type)) {
      out.push_back(id.text());
    }
  }
  if (row.callback) out.emplace_back(kCallbackReceiver);
  return out;
}

}  // namespace sandtrail
