// SPDX-License-Identifier: Apache-2.0
// What a tenant asked for, as the sandbox driver takes it.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/languages.h"
#include "domain/event.h"
#include "domain/payloads.h"
#include "sandbox/driver.h"

namespace sandtrail {

// not_found if the language is not among those of this host.
Result<SandboxSpec> sandbox_spec_of(const ExecutionInput& input, const std::string& language,
                                    const ExecutionLimits& limits,
                                    const std::vector<Language>& languages);

// The facts of an ended sandbox as the event, without its payload.
ExecutionFinished finished_event_of(const SandboxExit& exit, const DriverCapabilities& driver);

}  // namespace sandtrail
