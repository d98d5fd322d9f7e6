// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sandtrail {

// `sandtrail backup`, `restore`, `verify`; `arguments` come after the verb. Exit code: 0, 1 if a
// backup is not what it should be, 2 for a wrong command line, 3 if it cannot be done.
int backup_main(const std::vector<std::string>& arguments);
int restore_main(const std::vector<std::string>& arguments);
int verify_main(const std::vector<std::string>& arguments);

}  // namespace sandtrail
