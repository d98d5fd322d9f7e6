// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "roles.h"

namespace sandtrail {

// `sandtrail gateway|launcher|…`: one role of a cluster, as a process of its own over Kafka, any
// number of each. For options and exit codes see serve_command.h. The process keeps what is its own
// in DATA_DIR, else in <data_dir>/<role>; keys and objects are in the data_dir of the settings.
int role_main(ServerRole role, const std::vector<std::string>& arguments);

// The verbs with one line each.
std::vector<std::pair<std::string, std::string>> role_verbs();

}  // namespace sandtrail
