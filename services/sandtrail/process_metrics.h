// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "launcher/hosts.h"
#include "obs/metrics.h"
#include "runtime/runtime.h"

namespace sandtrail {

// The Prometheus text of this process, with what its partitions say now, and its hosts (null: it
// has none). Waits for the partitions' threads.
std::string process_metrics(Metrics& metrics, Runtime& runtime, const Hosts* hosts);

}  // namespace sandtrail
