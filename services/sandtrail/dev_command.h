// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// `sandtrail dev`: all roles in one process, on the embedded log or Kafka. At the first start it
// makes an organisation and a key, and keeps them in dev.json. For options and exit codes see
// serve_command.h.
int dev_main(const std::vector<std::string>& arguments);

}  // namespace sandtrail
