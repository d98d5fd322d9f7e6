// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace sandtrail::cli {

// projection poison: what no fold could take, and what no role could do.
Command poison_command();

}  // namespace sandtrail::cli
