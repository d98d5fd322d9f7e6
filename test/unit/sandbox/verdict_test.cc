// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <csignal>

#include "sandbox/verdict.h"

using namespace sandtrail;

namespace {

SandboxExit exited(int code, const char* stage = "run") {
  SandboxExit exit;
  exit.stage = stage;
  exit.exit_code = code;
  return exit;
}

SandboxExit signaled(int signal, const char* stage = "run") {
  SandboxExit exit;
  exit.stage = stage;
  exit.signal = signal;
  return exit;
}

SandboxExit with(SandboxExit exit, KillReason killed) {
  exit.killed = killed;
  return exit;
}

SandboxExit with_oom(SandboxExit exit) {
  exit.oom_kills = 1;
  return exit;
}

SandboxExit with_refusals(SandboxExit exit) {
  exit.process_limit_hits = 3;
  return exit;
}

SandboxExit broken(SandboxExit exit) {
  exit.broken = Error{ErrorCode::unavailable, "gone", ""};
  return exit;
}

}  // namespace

TEST_CASE("each end has one verdict, cause and actor, in the order of precedence") {
  struct Row {
    const char* name;
    SandboxExit exit;
    Verdict verdict;
    const char* cause;
    VerdictActor actor;
  };
  using V = Verdict;
  using A = VerdictActor;
  using K = KillReason;
  const Row rows[] = {
      {"zero", exited(0), V::ok, "exit_zero", A::program},
      {"one", exited(1), V::nonzero_exit, "exit_code", A::program},
      {"segv", signaled(SIGSEGV), V::signaled, "kernel_signal", A::kernel},
      {"abort", signaled(SIGABRT), V::signaled, "signal", A::program},
      {"killed by itself", signaled(SIGKILL), V::signaled, "signal", A::program},
      {"bad syscall", signaled(SIGSYS), V::signaled, "kernel_signal", A::kernel},
      {"compile", exited(1, "compile"), V::compile_error, "exit_code", A::program},
      {"compiler crash", signaled(SIGSEGV, "compile"), V::compile_error, "kernel_signal",
       A::kernel},
      {"compile only", exited(0, "compile"), V::ok, "exit_zero", A::program},
      {"oom", with_oom(signaled(SIGKILL)), V::memory_limit, "oom_kill", A::kernel},
      {"oom over exit", with_oom(exited(0)), V::memory_limit, "oom_kill", A::kernel},
      {"oom compiling", with_oom(signaled(SIGKILL, "compile")), V::memory_limit, "oom_kill",
       A::kernel},
      {"wall", with({}, K::wall_time), V::timeout, "wall_time", A::host},
      {"wall over oom", with(with_oom(signaled(SIGKILL)), K::wall_time), V::timeout, "wall_time",
       A::host},
      {"wall compiling", with(signaled(SIGKILL, "compile"), K::wall_time), V::timeout, "wall_time",
       A::host},
      {"cancel over exit", with(exited(0), K::cancelled), V::cancelled, "cancel_requested",
       A::caller},
      {"flood", with(signaled(SIGKILL), K::output_flood), V::output_limit, "output_flood", A::host},
      {"bomb", with(with_oom({}), K::process_flood), V::process_limit, "process_flood", A::host},
      {"shutdown", with({}, K::host_shutdown), V::internal_error, "host_shutdown", A::host},
      {"survived refusal", with_refusals(exited(1)), V::nonzero_exit, "exit_code", A::program},
      {"broken", broken(exited(0)), V::internal_error, "driver_error", A::host},
      {"broken over all", broken(with(with_oom(exited(0)), K::cancelled)), V::internal_error,
       "driver_error", A::host},
      {"nothing known", {}, V::internal_error, "no_exit_status", A::host},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto judgement = judge(row.exit);
    CHECK(judgement.verdict == row.verdict);
    CHECK(judgement.cause == row.cause);
    CHECK(judgement.actor == row.actor);
  }
}

TEST_CASE("evidence names everything notable, in a fixed order") {
  auto exit = with_refusals(with_oom(signaled(SIGKILL)));
  exit.out.truncated = true;
  exit.out.total_bytes = 70'000;
  exit.err.truncated = true;
  exit.err.total_bytes = 80'000;
  exit.controls_missing = {"cgroup.cpu", "cgroup.swap"};
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"stage", "run"},
      {"signal", "SIGKILL"},
      {"oom_kills", "1"},
      {"process_limit_hits", "3"},
      {"stdout_truncated", "70000"},
      {"stderr_truncated", "80000"},
      {"controls_missing", "cgroup.cpu cgroup.swap"},
  };
  CHECK(judge(exit).evidence == wanted);
  CHECK(judge(exited(3)).evidence ==
        std::vector<std::pair<std::string, std::string>>{{"stage", "run"}, {"exit_code", "3"}});
  CHECK(judge(broken({})).evidence ==
        std::vector<std::pair<std::string, std::string>>{{"error", "unavailable: gone"}});
}

TEST_CASE("names are the ones the log and the API use") {
  CHECK(name_of(VerdictActor::caller) == "caller");
  CHECK(signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(signal_name(70) == "signal 70");
}
