// SPDX-License-Identifier: Apache-2.0
// Every verb. Each function returns the verbs of one file.
#pragma once

#include <vector>

#include "options.h"

namespace sandtrail::cli {

using Commands = std::vector<Command>;

Commands run_commands();
Commands execution_commands();
Commands webhook_commands();
Commands account_commands();   // keys, credits, audit ls and checkpoint
Commands operator_commands();  // org, effects
Commands status_commands();
Commands certs_commands();
Commands log_commands();  // log cat, log tail
Commands audit_verify_commands();
Commands log_verify_commands();
Commands log_loss_commands();  // log accept-loss
Commands log_copy_commands();  // log copy, log compare
Commands log_digests_commands();
Commands log_topics_commands();
Commands log_trim_commands();
Commands log_stats_commands();

// Words above several verbs.
const std::vector<Group>& groups();

}  // namespace sandtrail::cli
