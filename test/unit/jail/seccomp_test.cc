// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <linux/filter.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>

#include "jail/seccomp.h"

using namespace sandtrail;
using namespace sandtrail::jail;

TEST_CASE("the built-in list parses, compiles and says why for every rule") {
  const auto rules = parse_seccomp_list(builtin_seccomp_list());
  REQUIRE(rules.ok());
  CHECK(rules->size() > 50);
  std::set<std::string> seen;
  for (const auto& rule : *rules) {
    CAPTURE(rule.syscall);
    CHECK(rule.reason.size() >= 4);
    const auto argument = rule.condition ? std::to_string(rule.condition->value) : "any";
    CHECK(seen.insert(rule.syscall + " " + argument).second);  // no rule twice
  }
  const auto programs = compile_seccomp(*rules);
  REQUIRE(programs.ok());
  CHECK(programs->size() == 2);  // the numbers above, and the list
  for (const auto& program : *programs) {
    CHECK(program.size() % sizeof(sock_filter) == 0);
    CHECK(program.size() / sizeof(sock_filter) <= BPF_MAXINSNS);
  }
}

TEST_CASE("the rules no jail can do without are in the list") {
  const auto rules = parse_seccomp_list(builtin_seccomp_list());
  REQUIRE(rules.ok());
  for (const char* name : {"above",
                           "unshare",
                           "setns",
                           "clone",
                           "clone3",
                           "mount",
                           "umount2",
                           "pivot_root",
                           "ptrace",
                           "bpf",
                           "perf_event_open",
                           "io_uring_setup",
                           "userfaultfd",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "kexec_load",
                           "init_module",
                           "finit_module",
                           "open_by_handle_at",
                           "process_vm_readv",
                           "process_vm_writev",
                           "pidfd_getfd",
                           "personality",
                           "ioctl",
                           "socket",
                           "memfd_secret",
                           "quotactl",
                           "swapon",
                           "reboot",
                           "acct",
                           "clock_settime"}) {
    CAPTURE(name);
    CHECK(std::any_of(rules->begin(), rules->end(),
                      [&](const SeccompRule& rule) { return rule.syscall == name; }));
  }
}

TEST_CASE("a rule's parts are read from its line") {
  using Operator = SeccompCondition::Operator;
  const auto rules = parse_seccomp_list(
      "# comment\n\n"
      "mount EPERM -- a reason\n"
      "newcall:451 ENOSYS -- a reason\n"
      "clone EPERM arg0&0x10000000=0x10000000 -- a reason -- with dashes\n"
      "socket EPERM arg0>10 -- a reason\n"
      "personality EPERM arg0!=0xffffffff -- a reason\n"
      "socket EPERM arg5=3 -- a reason\n"
      "above:462 ENOSYS -- a reason");
  REQUIRE(rules.ok());
  REQUIRE(rules->size() == 7);
  const auto& list = *rules;
  CHECK(list[0].syscall == "mount");
  CHECK(list[0].error == EPERM);
  CHECK_FALSE(list[0].condition);
  CHECK(list[1].number == 451);
  CHECK(list[1].error == ENOSYS);
  CHECK(list[2].condition->op == Operator::masked_equal);
  CHECK(list[2].condition->mask == 0x10000000);
  CHECK(list[2].condition->value == 0x10000000);
  CHECK(list[2].reason == "a reason -- with dashes");
  CHECK(list[3].condition->op == Operator::greater);
  CHECK(list[4].condition->op == Operator::not_equal);
  CHECK(list[5].condition->op == Operator::equal);
  CHECK(list[5].condition->argument == 5);
  CHECK(list[6].number == 462);
}

TEST_CASE("a malformed line is an error that names it") {
  for (const char* line :
       {"mount EPERM", "mount EPERM --", "mount EPERM -- ", "mount -- no errno",
        "mount EFAULT -- x", "mount EPERM arg6=1 -- x", "mount EPERM arg0 -- x",
        "mount EPERM arg0= -- x", "mount EPERM arg0&3 -- x", "mount EPERM arg0=0xg -- x",
        "mount EPERM arg0=1 arg1=2 -- x", "above ENOSYS -- x", "above:462 ENOSYS arg0=1 -- x",
        "x: EPERM -- x", "x:9z EPERM -- x"}) {
    CAPTURE(line);
    const auto rules = parse_seccomp_list("mount EPERM -- fine\n" + std::string(line) + "\n");
    REQUIRE_FALSE(rules.ok());
    CHECK(rules.error().message.find("line 2") != std::string::npos);
  }
}

TEST_CASE("a name nobody knows does not compile") {
  const auto rules = parse_seccomp_list("no_such_call EPERM -- x\n");
  REQUIRE(rules.ok());
  CHECK_FALSE(compile_seccomp(*rules).ok());
}
