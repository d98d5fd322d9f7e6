// SPDX-License-Identifier: Apache-2.0
#include "sandbox/verdict.h"

#include <csignal>

namespace sandtrail {
namespace {

struct Ruling {
  Verdict verdict;
  const char* cause;
  VerdictActor actor;
};

Ruling rule_on_kill(KillReason reason) {
  switch (reason) {
    case KillReason::cancelled:
      return {Verdict::cancelled, "cancel_requested", VerdictActor::caller};
    case KillReason::wall_time:
      return {Verdict::timeout, "wall_time", VerdictActor::host};
    case KillReason::output_flood:
      return {Verdict::output_limit, "output_flood", VerdictActor::host};
    case KillReason::process_flood:
      return {Verdict::process_limit, "process_flood", VerdictActor::host};
    case KillReason::host_shutdown:
    case KillReason::none:
      break;
  }
  return {Verdict::internal_error, "host_shutdown", VerdictActor::host};
}

// Signals a process gets for what its own code did wrong come from the kernel; the others somebody
// sent, and in a sandbox that is the program itself.
bool from_kernel(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGSYS:
    case SIGXFSZ:
    case SIGXCPU:
      return true;
    default:
      return false;
  }
}

Ruling rule(const SandboxExit& exit) {
  if (exit.broken) return {Verdict::internal_error, "driver_error", VerdictActor::host};
  if (exit.killed != KillReason::none) return rule_on_kill(exit.killed);
  if (exit.oom_kills > 0) return {Verdict::memory_limit, "oom_kill", VerdictActor::kernel};
  const bool compiling = exit.stage == "compile";
  if (exit.signal) {
    const auto verdict = compiling ? Verdict::compile_error : Verdict::signaled;
    if (from_kernel(*exit.signal)) return {verdict, "kernel_signal", VerdictActor::kernel};
    return {verdict, "signal", VerdictActor::program};
  }
  if (!exit.exit_code) return {Verdict::internal_error, "no_exit_status", VerdictActor::host};
  if (*exit.exit_code == 0) return {Verdict::ok, "exit_zero", VerdictActor::program};
  const auto verdict = compiling ? Verdict::compile_error : Verdict::nonzero_exit;
  return {verdict, "exit_code", VerdictActor::program};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

SandboxJudgement judge(const SandboxExit& exit) {
  const auto ruling = rule(exit);
  SandboxJudgement judgement{ruling.verdict, ruling.cause, ruling.actor, {}};
  const auto note = [&](const char* name, std::string value) {
    judgement.evidence.emplace_back(name, std::move(value));
  };
  if (!exit.stage.empty()) note("stage", exit.stage);
  if (exit.exit_code) note("exit_code", std::to_string(*exit.exit_code));
  if (exit.signal) note("signal", signal_name(*exit.signal));
  if (exit.oom_kills > 0) note("oom_kills", std::to_string(exit.oom_kills));
  if (exit.process_limit_hits > 0) {
    note("process_limit_hits", std::to_string(exit.process_limit_hits));
  }
  if (exit.out.truncated) note("stdout_truncated", std::to_string(exit.out.total_bytes));
  if (exit.err.truncated) note("stderr_truncated", std::to_string(exit.err.total_bytes));
  if (!exit.controls_missing.empty()) note("controls_missing", joined(exit.controls_missing));
  if (exit.broken) note("error", exit.broken->text());
  return judgement;
}

std::string_view name_of(VerdictActor actor) {
  switch (actor) {
    case VerdictActor::program:
      return "program";
    case VerdictActor::kernel:
      return "kernel";
    case VerdictActor::host:
      return "host";
    case VerdictActor::caller:
      return "caller";
  }
  return "host";
}

std::string signal_name(int signal) {
  struct Name {
    int number;
    const char* text;
  };
  constexpr Name kNames[] = {
      {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
      {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
      {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
      {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
      {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
  };
  for (const auto& name : kNames) {
    if (name.number == signal) return name.text;
  }
  return "signal " + std::to_string(signal);
}

}  // namespace sandtrail
