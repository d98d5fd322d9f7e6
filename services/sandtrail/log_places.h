// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"

namespace sandtrail {

// The adapters behind the places of `log copy`. All arguments must outlive what is opened.
LogPlaces make_log_places(const Clock& clock, Random& random);

}  // namespace sandtrail
