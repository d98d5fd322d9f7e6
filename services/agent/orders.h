// SPDX-License-Identifier: Apache-2.0
// What the host wants run.
#pragma once

#include "base/result.h"
#include "channel.h"
#include "program.h"

namespace sandtrail::agent {

// Takes the host's messages up to Run, into `program` and the work directory. invalid_argument for
// what no host of this version says; else as Channel::receive() and put_file().
Status take_orders(Channel& channel, Program& program);

}  // namespace sandtrail::agent
