// SPDX-License-Identifier: Apache-2.0
#include "event_log/partitioner.h"

namespace sandtrail {

std::int32_t partition_of(const OrgId& org, std::int32_t partitions) {
  ST_ASSERT(partitions > 0);
  return static_cast<std::int32_t>(fnv1a64(org.view()) % static_cast<std::uint64_t>(partitions));
}

}  // namespace sandtrail
