// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// `sandtrail init [--config FILE] [--data-dir DIR]`: makes the keys that all processes of a cluster
// share (key_files.h), where the settings say; what is there stays. Returns the exit code: 0, 2 for
// a wrong command line or configuration, 3 if it cannot.
int init_main(const std::vector<std::string>& arguments);

}  // namespace sandtrail
