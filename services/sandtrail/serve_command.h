// SPDX-License-Identifier: Apache-2.0
// What all verbs have in common that run a server until SIGINT or SIGTERM.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "process_plan.h"
#include "server_process.h"

namespace sandtrail {

// As given; empty: not.
struct ServeOptions {
  std::string data_dir;  // absolute
  std::string log;
  std::string listen;
  std::string admin_listen;
  std::string config_file;
};

struct ServeVerb {
  std::string name;         // after "sandtrail"
  std::string description;  // begins with examples
  std::string data_dir;     // help of --data-dir
  bool has_api = true;      // takes --listen
  // What to run; an error is one of the command line or the settings.
  std::function<Result<ProcessPlan>(const ServeOptions&)> plan;
  // Once it is ready, before it serves for long; an error ends it.
  std::function<Status(ServerProcess&, const ProcessPlan&)> greet;
  // The exit code if it is told to end before it was ready. `dev` did not do what it was asked for;
  // one of several processes was merely stopped.
  int ended_early = 0;
};

// Nothing secret may end in a core dump.
void forbid_core_dumps();
// Of this thread and those it starts: SIGINT and SIGTERM wait for who asks for them.
sigset_t block_end_signals();

// The sources of settings that the options stand for, but for --data-dir.
ConfigSources sources_of(const ServeOptions& options);

// `arguments` come after the verb. Returns the exit code: 0, 2 for a wrong command line or
// configuration, 3 if it cannot serve.
int serve_main(const ServeVerb& verb, const std::vector<std::string>& arguments);

}  // namespace sandtrail
