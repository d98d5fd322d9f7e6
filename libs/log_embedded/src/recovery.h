// SPDX-License-Identifier: Apache-2.0
// What opening a log finds out about it, for writing or not.
#pragma once

#include <string>

#include "base/fd.h"
#include "log_embedded/head_mark.h"
#include "store.h"
#include "topics.h"

namespace sandtrail::embedded {

// The parts a log's directory consists of, as they were before it was opened.
struct Parts {
  std::string identity;   // empty: none
  Result<HeadMark> head;  // not_found: none
  bool has_records = false;
  bool has_head() const { return head.ok() || head.error().code != ErrorCode::not_found; }
};
// conflict for an import that was not finished.
Result<Parts> look_at(const std::string& directory);

// Held as long as the descriptor is open; conflict if another process holds it.
Result<UniqueFd> lock_log_directory(const std::string& directory);

std::string records_directory(const std::string& directory);
// Stands in a directory that is being filled by an import (log_embedded/embedded_import.h).
std::string import_mark(const std::string& directory);

// Reads a partition's low mark, tail and what the next append builds on.
Status load_partition(Store& store, PartitionState& partition);
Status load_topics(Store& store, TopicTable& topics);

// conflict, naming what is missing, if the log is not what its head mark says or its parts do not
// belong together; corrupt if its newest records are damaged. Fine if the log is just being
// created.
Status check_whole(const Parts& parts, Store& store, const TopicTable& topics);

// The error for a log that lost something.
Error loss_error(const std::string& what);

}  // namespace sandtrail::embedded
