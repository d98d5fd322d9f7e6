// SPDX-License-Identifier: Apache-2.0
// The list of refused system calls (infra/seccomp/jail.txt holds its grammar and every reason) and
// its way into the kernel (seccomp(2)). libseccomp compiles; only BPF goes to the sandbox.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail::jail {

struct SeccompCondition {
  enum class Operator { equal, not_equal, greater, masked_equal };
  unsigned argument = 0;  // 0 to 5
  Operator op = Operator::equal;
  std::uint64_t value = 0;
  std::uint64_t mask = 0;  // masked_equal only
};

struct SeccompRule {
  std::string syscall;        // "above": every number greater than `number`
  std::optional<int> number;  // where libseccomp does not know the name
  int error = 0;              // errno the program sees
  std::optional<SeccompCondition> condition;
  std::string reason;
};

// The list that was compiled in.
std::string_view builtin_seccomp_list();

// invalid_argument names the line. A rule without a reason is an error.
Result<std::vector<SeccompRule>> parse_seccomp_list(std::string_view text);

// Filters as arrays of struct sock_filter; the kernel applies the strictest answer of all.
using SeccompPrograms = std::vector<Bytes>;
Result<SeccompPrograms> compile_seccomp(const std::vector<SeccompRule>& rules);

// For the calling thread and all it starts, for ever. Needs no_new_privs. Does not allocate.
Status install_seccomp(const SeccompPrograms& programs);

}  // namespace sandtrail::jail
