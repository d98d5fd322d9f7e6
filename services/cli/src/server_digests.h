// SPDX-License-Identifier: Apache-2.0
// What a running server says of its rows, for comparing with a fold of one's own.
#pragma once

#include <string>
#include <vector>

#include "runtime/runtime.h"
#include "session.h"

namespace sandtrail::cli {

struct ServerDigests {
  TopicPartition where;
  Position next;
  json::value digests;  // fold, core, projections: those that its roles read
};

// Through the operator's socket.
Result<std::vector<ServerDigests>> ask_server(Session& session);

// Where the two differ first, or "".
std::string difference(const ServerDigests& expected, const PartitionDigests& found);
// The same with what was found of that partition.
std::string difference(const ServerDigests& expected, const std::vector<PartitionDigests>& found);

}  // namespace sandtrail::cli
