// SPDX-License-Identifier: Apache-2.0
// Folding a log by the server's own runtime, into a store of one's own.
#pragma once

#include <map>
#include <vector>

#include "runtime/runtime.h"
#include "session.h"

namespace sandtrail::cli {

// The digests of all rows of each partition as of `ends`; of one that is not named, of nothing.
// Begins where `store` is, or where the newest base of a trimmed partition ends. Shows progress.
Result<std::vector<PartitionDigests>> rebuild(Session& session, EventLog& log,
                                              std::map<TopicPartition, Position> ends,
                                              KvStore& store);

}  // namespace sandtrail::cli
