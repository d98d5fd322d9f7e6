// SPDX-License-Identifier: Apache-2.0
// The settings of our clients: how to connect comes from the user, how to behave is ours.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "handles.h"
#include "kafka/connection.h"

namespace sandtrail::kafka {

using Settings = std::vector<std::pair<const char*, std::string>>;

// What every client of ours has, then `own`.
Result<Conf> make_conf(const KafkaConnection& connection, const Settings& own);

Settings producer_settings(Millis append_timeout, Millis linger);
// `prefetch_bytes`: of each partition, what was fetched and not read yet.
Settings fetcher_settings(const KafkaConnection& connection,
                          std::size_t prefetch_bytes = limits::kKafkaPrefetchBytesMax);
Settings admin_settings(const KafkaConnection& connection);
Settings group_settings(const std::string& group, Millis session_timeout);

}  // namespace sandtrail::kafka
