// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace sandtrail {

// `sandtrail dev`: serves until SIGINT or SIGTERM. At the first start it makes an organisation and
// a key, and keeps them in dev.json. Returns the exit code.
Result<int> run_dev(const Config& config);

}  // namespace sandtrail
