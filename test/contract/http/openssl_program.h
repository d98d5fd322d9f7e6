// SPDX-License-Identifier: Apache-2.0
// The openssl command line, for certificates that ours does not make.
#pragma once

#include <stdlib.h>

#include <stdexcept>
#include <string>

namespace sandtrail::http::test {

inline void shell(const std::string& command) {
  if (system(("(" + command + ") >/dev/null 2>&1").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

}  // namespace sandtrail::http::test
