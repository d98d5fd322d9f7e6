// SPDX-License-Identifier: Apache-2.0
// Which receivers hear of the end of an execution.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/state.h"

namespace sandtrail {

// In ExecutionRow::notify, besides endpoint ids.
inline constexpr std::string_view kCallbackReceiver = "callback";

// "execution.finished", "execution.rejected" …: the type of the message, as receivers see it.
std::string message_type_of(ExecutionStatus status);

// True if an endpoint with these filters wants messages of that type. A filter is an exact type,
// or a prefix and ".*"; no filter at all wants everything.
bool filter_matches(const std::vector<std::string>& filters, std::string_view message_type);
// What may stand in a filter.
bool filter_is_valid(std::string_view filter);

// Receivers of a terminal execution: matching endpoints by id, then the callback.
std::vector<std::string> receivers_of(const CoreState& state, const ExecutionRow& row);

}  // namespace sandtrail
