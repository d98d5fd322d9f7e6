// SPDX-License-Identifier: Apache-2.0
// A data key of its own for what a request makes.
#pragma once

#include <functional>

#include "call.h"

namespace sandtrail::gateway {

// Makes a key of the call's organisation under `parent`, then calls `then` on the executor. Or
// answers the call, and `then` is never called: with what the key store says, or, if that has not
// answered within GatewayOptions::log_away, with log_away. A key that comes later is destroyed.
void with_new_key(Context& context, const CallPtr& call, const DataKeyId& parent,
                  std::function<void(const DataKeyId&)> then);

}  // namespace sandtrail::gateway
