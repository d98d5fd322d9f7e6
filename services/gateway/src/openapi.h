// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "call.h"

namespace sandtrail::gateway {

void get_openapi(Context& context, const CallPtr& call);

}  // namespace sandtrail::gateway
