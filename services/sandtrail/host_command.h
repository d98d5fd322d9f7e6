// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// `sandtrail host --join LAUNCHER:PORT … [--data-dir DIR] [--slots N] …`: runs executions for
// launchers elsewhere until SIGINT or SIGTERM. `arguments` come after the verb. Returns the exit
// code: 0, 2 for a wrong command line or configuration, 3 if it cannot run anything.
int host_main(const std::vector<std::string>& arguments);

}  // namespace sandtrail
