// SPDX-License-Identifier: Apache-2.0
#include "sandbox_spec.h"

#include <algorithm>

#include "base/limits.h"
#include "sandbox/verdict.h"

namespace sandtrail {
namespace {

constexpr std::size_t kEvidenceBytesMax = 512;  // of one observation: some quote an error

void add_code(SandboxSpec& spec, const ExecutionInput& input, const Language& language) {
  spec.files.push_back({language.file, input.code, false});
  if (!language.compile.empty()) spec.stages.push_back({"compile", language.compile, false});
  std::vector<std::string> argv = language.run;
  argv.insert(argv.end(), input.args.begin(), input.args.end());
  spec.stages.push_back({"run", std::move(argv), true});
  for (const auto& [name, value] : language.environment) spec.environment.emplace_back(name, value);
}

void add_command(SandboxSpec& spec, const ExecutionInput& input) {
  std::vector<std::string> argv = input.command;
  argv.insert(argv.end(), input.args.begin(), input.args.end());
  spec.stages.push_back({"run", std::move(argv), true});
}

OutputFacts output_facts(const SandboxOutput& output) {
  return {output.total_bytes, static_cast<std::int64_t>(output.kept.size()), output.truncated};
}

}  // namespace

Result<SandboxSpec> sandbox_spec_of(const ExecutionInput& input, const std::string& language,
                                    const ExecutionLimits& limits,
                                    const std::vector<Language>& languages) {
  SandboxSpec spec;
  for (const InputFile& file : input.files) {
    spec.files.push_back({file.path, file.content.bytes, file.executable});
  }
  if (language.empty()) {
    add_command(spec, input);
  } else {
    const auto found = std::find_if(languages.begin(), languages.end(),
                                    [&](const Language& l) { return l.name == language; });
    if (found == languages.end()) {
      return Error{ErrorCode::not_found, "this host has no language " + language, ""};
    }
    add_code(spec, input, *found);
  }
  // What the tenant sets comes last, and so counts.
  for (const auto& [name, value] : input.env) spec.environment.emplace_back(name, value);
  spec.stdin_bytes = input.stdin_bytes.bytes;
  spec.limits.wall_ms = limits.wall_ms;
  spec.limits.memory_mib = limits.memory_mib;
  spec.limits.cpu_millis = limits.cpu_millis;
  spec.limits.processes = limits.processes;
  spec.limits.disk_mib = limits.disk_mib;
  spec.limits.output_bytes = limits.output_bytes;
  spec.limits.output_flood_bytes = limits::kOutputFloodBytes;
  return spec;
}

ExecutionFinished finished_event_of(const SandboxExit& exit, const DriverCapabilities& driver) {
  const SandboxJudgement judgement = judge(exit);
  ExecutionFinished out;
  out.verdict = judgement.verdict;
  out.cause = judgement.cause;
  out.decided_by = name_of(judgement.actor);
  for (const auto& [name, value] : judgement.evidence) {
    const std::string text = name + "=" + value;
    out.evidence.emplace_back(utf8_prefix(text, kEvidenceBytesMax));
  }
  if (exit.exit_code) out.exit_code = *exit.exit_code;
  if (exit.signal) out.signal = *exit.signal;
  out.usage = {exit.usage.wall_us, exit.usage.cpu_us, exit.usage.memory_peak_bytes};
  out.timings = {exit.timings.boot_us, exit.timings.compile_us, exit.timings.run_us};
  out.out = output_facts(exit.out);
  out.err = output_facts(exit.err);
  out.isolation = driver.isolation;
  out.controls = exit.controls;
  out.controls_missing = exit.controls_missing;
  return out;
}

}  // namespace sandtrail
