// SPDX-License-Identifier: Apache-2.0
// The topics of the log.
#pragma once

#include <optional>
#include <string>

#include "domain/core.h"
#include "event_log/record.h"

namespace sandtrail {

inline constexpr const char* kEventsTopic = "events";      // every fact of every organisation
inline constexpr const char* kPlatformTopic = "platform";  // what belongs to no organisation
inline constexpr const char* kAuditTopic = "audit";        // entries of one Merkle log

std::string_view topic_of(TopicKind kind);
std::optional<TopicKind> topic_kind(std::string_view topic);

// The partition of `events` that holds everything of an organisation.
TopicPartition home_of(const OrgId& org, std::int32_t partitions);

}  // namespace sandtrail
