// SPDX-License-Identifier: Apache-2.0
#include "process_plan.h"

namespace sandtrail {
namespace {

std::string either(const std::string& chosen, const std::string& otherwise) {
  return chosen.empty() ? otherwise : chosen;
}

}  // namespace

std::string root_key_path(const Config& config) {
  return either(config.keys.root_file, config.data_dir + "/root.key");
}

std::string audit_key_path(const Config& config) {
  return either(config.audit.key_file, config.data_dir + "/audit.key");
}

std::string log_name(const Config& config) {
  return config.log.embedded() ? "the embedded log" : config.log.url;
}

}  // namespace sandtrail
