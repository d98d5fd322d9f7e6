// SPDX-License-Identifier: Apache-2.0
// Folding a log from its beginning into an empty store, by the server's own runtime.
#pragma once

#include <map>
#include <vector>

#include "runtime/runtime.h"
#include "session.h"

namespace sandtrail::cli {

// The digests of all rows of each partition as of `ends`; of one that is not named, of nothing.
Result<std::vector<PartitionDigests>> rebuild(Session& session, EventLog& log,
                                              std::map<TopicPartition, Position> ends);

}  // namespace sandtrail::cli
