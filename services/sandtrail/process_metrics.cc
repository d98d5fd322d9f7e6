// SPDX-License-Identifier: Apache-2.0
#include "process_metrics.h"

namespace sandtrail {

std::string process_metrics(Metrics& metrics, Runtime& runtime, const Hosts* hosts) {
  for (const PartitionStatus& partition : runtime.status()) {
    const MetricLabels where{{"topic", partition.where.topic},
                             {"partition", std::to_string(partition.where.partition)}};
    metrics.gauge("consumer_lag_records", "Records of the log not folded yet.", where)
        .set(static_cast<double>(partition.high.value - partition.next.value));
    metrics.gauge("void_records", "Records of the log that the fold took as void.", where)
        .set(static_cast<double>(partition.void_records));
    metrics.gauge("partition_stopped", "1 if the partition folds no further.", where)
        .set(partition.stopped.empty() ? 0 : 1);
    for (const RoleStatus& role : partition.roles) {
      MetricLabels labels = where;
      labels["role"] = role.role;
      metrics.gauge("role_live", "1 if the role acts on the partition.", labels)
          .set(role.live ? 1 : 0);
      metrics.gauge("effects_running", "Effects of the role in flight.", labels)
          .set(static_cast<double>(role.effects_running));
      metrics.gauge("effects_parked", "Effects that wait for an operator.", labels)
          .set(static_cast<double>(role.effects_parked));
    }
  }
  if (hosts == nullptr) return metrics.exposition();
  for (const Hosts::Load& load : hosts->load()) {
    const MetricLabels labels{{"host", load.info.id.text()}};
    metrics.gauge("host_connected", "1 if the host is connected.", labels)
        .set(load.connected ? 1 : 0);
    metrics.gauge("host_slots", "Executions the host runs at once.", labels).set(load.info.slots);
    metrics.gauge("host_slots_busy", "Slots that this launcher's executions take.", labels)
        .set(load.busy);
  }
  return metrics.exposition();
}

}  // namespace sandtrail
