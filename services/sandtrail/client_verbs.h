// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// Wires a client verb to real streams, the network and the log, and runs it. Returns its exit code.
int run_client_verb(const std::vector<std::string>& arguments);

}  // namespace sandtrail
