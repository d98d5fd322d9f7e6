// SPDX-License-Identifier: Apache-2.0
// Broken invariants end the process, also in production: a wrong fold is worse than a restart.
// Expected failures are values (base/result.h), never assertions.
#pragma once

namespace sandtrail {

// Writes the expression and its place to stderr and aborts. Never prints values: they may be
// secret.
[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace sandtrail

#define ST_ASSERT(expression)                           \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::sandtrail::assert_failed(#expression, __FILE__, __LINE__))
