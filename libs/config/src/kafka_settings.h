// SPDX-License-Identifier: Apache-2.0
// What of librdkafka's configuration may be passed through (its CONFIGURATION.md names them all).
#pragma once

#include <string>

namespace sandtrail::config {

// Why `name` may not stand in log.kafka with that value; empty if it may.
std::string kafka_setting_problem(const std::string& name, const std::string& value);

}  // namespace sandtrail::config
