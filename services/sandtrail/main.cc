// SPDX-License-Identifier: Apache-2.0
// The command table of the multi-role binary: servers here, client verbs in services/cli.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "backup_command.h"
#include "client_verbs.h"
#include "dev_command.h"
#include "host_command.h"
#include "init_command.h"
#include "role_command.h"

int main(int argc, char** argv) {
  // A peer or reader that goes away is an error value, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty()) {
    const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
    if (arguments.front() == "dev") return sandtrail::dev_main(rest);
    if (arguments.front() == "host") return sandtrail::host_main(rest);
    if (arguments.front() == "init") return sandtrail::init_main(rest);
    if (arguments.front() == "backup") return sandtrail::backup_main(rest);
    if (arguments.front() == "restore") return sandtrail::restore_main(rest);
    if (arguments.front() == "verify") return sandtrail::verify_main(rest);
    // `sandtrail webhooks` is a role, `sandtrail webhooks ls` a client verb.
    const bool word_follows = !rest.empty() && !rest.front().starts_with("-");
    const auto role = sandtrail::role_named(arguments.front());
    if (role && !(word_follows && *role == sandtrail::ServerRole::webhooks)) {
      return sandtrail::role_main(*role, rest);
    }
  }
  return sandtrail::run_client_verb(arguments);
}
