// SPDX-License-Identifier: Apache-2.0
// An embedded log that has lost acknowledged records: what is missing, and going on without it.
//
// Going on takes these steps, each durable before the next, and can be repeated after any of them:
//
//   1  loss.json in the data directory: what is missing; no server starts while it is there
//   2  the log opens with what is intact, under a new identity
//   3  each lost position is taken by a log.record_lost, so that none is ever given twice
//   4  log.loss_accepted on `platform`, by the operator: an audited action
//   5  store/ is moved aside: it was folded from the old log, and is made anew at the next start
//   6  loss.json is removed
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"

namespace sandtrail {

// Looks only. What counts as acknowledged: what the head mark says, what the store has folded, what
// audit entries are about, and what an earlier call that did not end has noted.
Result<LogLoss> find_log_loss(const std::string& data_directory, const Clock& clock,
                              Random& random);

// conflict if nothing is missing, or a server runs.
Result<LossAccepted> accept_log_loss(const std::string& data_directory, const std::string& reason,
                                     const Clock& clock, Random& random);

// conflict if accept_log_loss() has begun and not ended.
Status check_no_loss_pending(const std::string& data_directory);

}  // namespace sandtrail
