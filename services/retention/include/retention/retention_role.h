// SPDX-License-Identifier: Apache-2.0
// The retention role: erases payloads when their time is over. `erased` is applied first, so every
// reader drops its copy; then objects and the data key are destroyed, and `key_destroyed` confirms
// it. Whatever is not confirmed is repeated at every start.
#pragma once

#include <functional>
#include <memory>

#include "base/worker_pool.h"
#include "runtime/role.h"
#include "sealing/payload.h"

namespace sandtrail {

// Everything given must outlive the role. `home` tells the partition of an organisation: keys that
// no applied record uses are destroyed by the owner of their organisation's partition.
std::unique_ptr<Role> make_retention_role(Payloads& payloads, Executor executor,
                                          std::function<TopicPartition(const OrgId&)> home);

}  // namespace sandtrail
