// SPDX-License-Identifier: Apache-2.0
// The public side of events about executions.
#pragma once

#include <optional>

#include "documents.h"
#include "runtime/types.h"

namespace sandtrail::gateway {

// The execution whose trail an event belongs to: those of the execution, and its settlement.
std::optional<ExecutionId> trail_of(const EventBody& body);

// Facts only: neither payloads, nor tokens, nor where the host is reached. Only for events with a
// trail.
TrailDoc public_event(const Folded& folded);

}  // namespace sandtrail::gateway
