// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// `sandtrail dev [--data-dir DIR] [--listen ADDR:PORT] [--config FILE]`: serves until SIGINT or
// SIGTERM. At the first start it makes an organisation and a key, and keeps them in dev.json.
// `arguments` come after the verb. Returns the exit code: 0, 2 for a wrong command line or
// configuration, 3 if it cannot serve.
int dev_main(const std::vector<std::string>& arguments);

}  // namespace sandtrail
