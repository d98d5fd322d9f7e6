// SPDX-License-Identifier: Apache-2.0
// How far a store was folded, for those who look at a stopped process's files.
#pragma once

#include <optional>
#include <string>

#include "event_log/event_log.h"
#include "store/kv_store.h"

namespace sandtrail {

// The first position of the partition that `store` has not folded; nullopt if it has folded none of
// it, or another log than the one of that identity.
Result<std::optional<Position>> folded_position(const KvStore& store, const TopicPartition& where,
                                                const std::string& log_identity);

}  // namespace sandtrail
