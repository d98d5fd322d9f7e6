// SPDX-License-Identifier: Apache-2.0
// Rows of settings that matter where roles run as processes of their own, and how they fit
// together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rows.h"

namespace sandtrail::config {

std::vector<Row> log_rows();
std::vector<Row> cluster_rows();

// What is wrong with settings that are each fine: pairs of name and problem.
std::vector<std::pair<std::string, std::string>> misfits(const Config& config);

}  // namespace sandtrail::config
