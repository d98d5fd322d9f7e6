// SPDX-License-Identifier: Apache-2.0
// What the gateway says while the log is away: changes are refused, reads say how old they are.
#pragma once

#include <optional>

#include "call.h"

namespace sandtrail::gateway {

// Why a change is refused for now; nullopt: the log takes it, or has not been away for so long that
// waiting is hopeless.
std::optional<Problem> away_problem(const Context& context, const std::optional<LogAway>& away);

// Of an append that the brokers do not allow this server: for its clients the log is away.
Problem refused(const Error& error);

// Empty, or why the process should get no requests for now.
std::string not_ready_because(const Context& context);

}  // namespace sandtrail::gateway
