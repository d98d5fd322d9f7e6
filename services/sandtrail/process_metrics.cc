// SPDX-License-Identifier: Apache-2.0
#include "process_metrics.h"

#include <algorithm>

#include "disk_metrics.h"

namespace sandtrail {
namespace {

constexpr double kSecondsPerMs = 1e-3;

double lag_of(const PartitionStatus& partition) {
  return static_cast<double>(
      std::max<std::int64_t>(0, partition.high.value - partition.next.value));
}

double seconds_of(Millis span) {
  return static_cast<double>(span.count) * kSecondsPerMs;
}

// A role is as far as the fold it hangs on; who alerts wants to know which one is late.
void set_role(Metrics& metrics, const PartitionStatus& partition, const RoleStatus& role,
              MetricLabels labels) {
  labels["role"] = role.role;
  metrics.gauge("role_live", "1 if the role acts on the partition.", labels).set(role.live ? 1 : 0);
  metrics.gauge("role_lag_records", "Records that the role has not seen yet.", labels)
      .set(lag_of(partition));
  metrics.gauge("role_lag_seconds", "How long ago the role had seen all there was.", labels)
      .set(seconds_of(partition.behind));
  metrics.gauge("effects_running", "Effects of the role in flight.", labels)
      .set(static_cast<double>(role.effects_running));
  metrics.gauge("effects_parked", "Effects that wait for an operator.", labels)
      .set(static_cast<double>(role.effects_parked));
}

void set_partition(Metrics& metrics, const PartitionStatus& partition) {
  const MetricLabels where{{"topic", partition.where.topic},
                           {"partition", std::to_string(partition.where.partition)}};
  metrics.gauge("consumer_lag_records", "Records of the log not folded yet.", where)
      .set(lag_of(partition));
  metrics.gauge("consumer_lag_seconds", "How long ago all there was had been folded.", where)
      .set(seconds_of(partition.behind));
  metrics.gauge("log_end_position", "The log's high mark, as last read.", where)
      .set(static_cast<double>(partition.high.value));
  metrics.gauge("void_records", "Records of the log that the fold took as void.", where)
      .set(static_cast<double>(partition.void_records));
  metrics.gauge("partition_stopped", "1 if the partition folds no further.", where)
      .set(partition.stopped.empty() ? 0 : 1);
  for (const RoleStatus& role : partition.roles) set_role(metrics, partition, role, where);
}

void set_hosts(Metrics& metrics, const Hosts& hosts) {
  for (const Hosts::Load& load : hosts.load()) {
    const MetricLabels labels{{"host", load.info.id.text()}};
    metrics.gauge("host_connected", "1 if the host is connected.", labels)
        .set(load.connected ? 1 : 0);
    metrics.gauge("host_slots", "Executions the host runs at once.", labels).set(load.info.slots);
    metrics.gauge("host_slots_busy", "Slots that this launcher's executions take.", labels)
        .set(load.busy);
  }
}

}  // namespace

std::string process_metrics(const MeasuredProcess& process) {
  for (const PartitionStatus& partition : process.runtime.status()) {
    set_partition(process.metrics, partition);
  }
  process.metrics.gauge("log_health", "0 if the log is fine, 1 if appends wait, 2 if it stopped.")
      .set(static_cast<double>(process.log.health().level));
  set_disk_metrics(process.metrics, process.directory, process.log_reserve_bytes);
  if (process.hosts != nullptr) set_hosts(process.metrics, *process.hosts);
  return process.metrics.exposition();
}

}  // namespace sandtrail
