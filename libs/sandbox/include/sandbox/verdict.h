// SPDX-License-Identifier: Apache-2.0
// From the facts of an ended sandbox to one judgement. Pure; the only place where it is made.
//
// Precedence: the driver failed; the host's own kill reason; an out-of-memory kill; a signal; the
// exit code. A limit that was hit and survived is evidence, not a verdict.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/execution.h"
#include "sandbox/driver.h"

namespace sandtrail {

// Who ended the program.
enum class VerdictActor : unsigned char {
  program,  // itself
  kernel,   // a kernel limit or fault
  host,     // a limit the host watches, or the host's failure
  caller    // who asked for its end
};
std::string_view name_of(VerdictActor actor);

struct SandboxJudgement {
  Verdict verdict = Verdict::internal_error;
  // Stable words: exit_zero exit_code signal kernel_signal oom_kill wall_time output_flood
  // process_flood cancel_requested host_shutdown driver_error no_exit_status.
  std::string cause;
  VerdictActor actor = VerdictActor::host;
  // Name and value of everything notable, in a fixed order: stage, exit_code, signal, oom_kills,
  // process_limit_hits, stdout_truncated, stderr_truncated, controls_missing, error.
  std::vector<std::pair<std::string, std::string>> evidence;
};

SandboxJudgement judge(const SandboxExit& exit);

// "SIGKILL"; "signal 70" for numbers without a name.
std::string signal_name(int signal);

}  // namespace sandtrail
