// SPDX-License-Identifier: Apache-2.0
#include "wire/topics.h"

#include "event_log/partitioner.h"

namespace sandtrail {

std::string_view topic_of(TopicKind kind) {
  switch (kind) {
    case TopicKind::events:
      return kEventsTopic;
    case TopicKind::platform:
      return kPlatformTopic;
    case TopicKind::audit:
      return kAuditTopic;
  }
  return kEventsTopic;
}

std::optional<TopicKind> topic_kind(std::string_view topic) {
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    if (topic == topic_of(kind)) return kind;
  }
  return std::nullopt;
}

TopicPartition home_of(const OrgId& org, std::int32_t partitions) {
  return {kEventsTopic, partition_of(org, partitions)};
}

}  // namespace sandtrail
