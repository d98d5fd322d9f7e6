// SPDX-License-Identifier: Apache-2.0
// What one process is to be: fixed before anything is opened.
#pragma once

#include <string>

#include "config/config.h"
#include "roles.h"

namespace sandtrail {

struct ProcessPlan {
  std::string verb;  // "dev", "gateway" …: in messages, and in the name of the process
  RoleSet roles;
  Config config;            // its data_dir holds what processes share
  std::string directory;    // of this process alone; `dev`: the same
  bool makes_keys = false;  // `dev`: key files that nothing depends on yet

  bool runs(ServerRole role) const { return roles.contains(role); }
};

std::string root_key_path(const Config& config);
std::string audit_key_path(const Config& config);
// The log as people know it: "the embedded log", "kafka://…".
std::string log_name(const Config& config);

}  // namespace sandtrail
