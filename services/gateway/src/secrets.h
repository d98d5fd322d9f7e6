// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/random.h"

namespace sandtrail::gateway {

// "whsec_" and standard base64 of 32 random bytes (Standard Webhooks 1.0.0).
std::string make_webhook_secret(Random& random);

}  // namespace sandtrail::gateway
