// SPDX-License-Identifier: Apache-2.0
#include "jail/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>

#include "base/fd.h"

namespace sandtrail::jail {
namespace {

constexpr std::size_t kFilterBytesMax = 4096 * sizeof(sock_filter);  // BPF_MAXINSNS

Bytes bytes_of(const sock_filter* filters, std::size_t count) {
  return Bytes(reinterpret_cast<const char*>(filters), count * sizeof(sock_filter));
}

// libseccomp filters by name only; numbers beyond the reviewed ones need a filter of their own.
// Foreign architectures never get this far: the main filter kills them.
Bytes above_program(int number, int error) {
  const sock_filter filters[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return bytes_of(filters, std::size(filters));
}

scmp_arg_cmp comparison(const SeccompCondition& condition) {
  using Operator = SeccompCondition::Operator;
  scmp_arg_cmp compare{};
  compare.arg = condition.argument;
  compare.datum_a = condition.value;
  switch (condition.op) {
    case Operator::equal:
      compare.op = SCMP_CMP_EQ;
      break;
    case Operator::not_equal:
      compare.op = SCMP_CMP_NE;
      break;
    case Operator::greater:
      compare.op = SCMP_CMP_GT;
      break;
    case Operator::masked_equal:
      compare.op = SCMP_CMP_MASKED_EQ;
      compare.datum_a = condition.mask;
      compare.datum_b = condition.value;
      break;
  }
  return compare;
}

Status add_rule(scmp_filter_ctx context, const SeccompRule& rule) {
  int number = ::seccomp_syscall_resolve_name(rule.syscall.c_str());
  if (number == __NR_SCMP_ERROR) {
    if (!rule.number) {
      return Error{ErrorCode::invalid_argument, "unknown system call " + rule.syscall, ""};
    }
    number = *rule.number;
  }
  const auto action = SCMP_ACT_ERRNO(static_cast<std::uint16_t>(rule.error));
  int result = 0;
  if (rule.condition) {
    const auto compare = comparison(*rule.condition);
    result = ::seccomp_rule_add_array(context, action, number, 1, &compare);
  } else {
    result = ::seccomp_rule_add_array(context, action, number, 0, nullptr);
  }
  if (result == 0) return {};
  return errno_error("cannot compile the rule for " + rule.syscall, -result);
}

Result<Bytes> export_program(scmp_filter_ctx context) {
  UniqueFd fd(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!fd.valid()) return errno_error("memfd_create", errno);
  if (const int result = ::seccomp_export_bpf(context, fd.get()); result != 0) {
    return errno_error("cannot export the filter", -result);
  }
  Bytes program(kFilterBytesMax, '\0');
  const auto count = ::pread(fd.get(), program.data(), program.size(), 0);
  if (count <= 0) return errno_error("cannot read the filter", errno);
  program.resize(static_cast<std::size_t>(count));
  return program;
}

}  // namespace

Result<SeccompPrograms> compile_seccomp(const std::vector<SeccompRule>& rules) {
  const std::unique_ptr<void, decltype(&::seccomp_release)> context(::seccomp_init(SCMP_ACT_ALLOW),
                                                                    &::seccomp_release);
  if (!context) return Error{ErrorCode::internal, "seccomp_init failed", ""};
  // x32 and 32-bit calls reach other code for the same purpose: not even an error for them.
  if (::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0) {
    return Error{ErrorCode::internal, "libseccomp cannot kill foreign architectures", ""};
  }
  // A binary tree instead of a chain; older libseccomp without it is only slower.
  (void)::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  SeccompPrograms programs;
  for (const auto& rule : rules) {
    if (rule.syscall == "above") {
      programs.push_back(above_program(*rule.number, rule.error));
    } else {
      ST_CHECK_OK(add_rule(context.get(), rule));
    }
  }
  ST_ASSIGN(auto program, export_program(context.get()));
  programs.push_back(std::move(program));
  return programs;
}

Status install_seccomp(const SeccompPrograms& programs) {
  for (const auto& program : programs) {
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
    // The kernel only reads it, and std::string storage is aligned for any basic type.
    filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()));
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
      return errno_error("cannot install the system call filter", errno);
    }
  }
  return {};
}

}  // namespace sandtrail::jail
