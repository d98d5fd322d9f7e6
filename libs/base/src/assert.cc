// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace sandtrail {

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "sandtrail: invariant broken: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace sandtrail
