// SPDX-License-Identifier: Apache-2.0
#include "rebuild.h"

#include "capped_log.h"
#include "log_fold.h"
#include "store/memory_kv_store.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

constexpr int kPausesMax = 50;
constexpr Millis kPause{100};

}  // namespace

Result<std::vector<PartitionDigests>> rebuild(Session& session, EventLog& log,
                                              std::map<TopicPartition, Position> ends) {
  CappedLog capped(log, std::move(ends));
  MemoryKvStore store;
  // Nothing here depends on the time: a fold has no clock.
  ManualClock clock(session.parts.clock.now());
  RuntimeOptions options;
  ST_ASSIGN(const auto events, partitions_of(log, kEventsTopic));
  options.events_partitions = static_cast<std::int32_t>(events.size());
  options.threads = false;
  Runtime runtime(options, capped, store, clock, session.parts.random);
  for (auto& projection : session.parts.projections()) runtime.add(std::move(projection));
  ST_CHECK_OK(runtime.start());
  const auto partitions = runtime.partitions();
  std::vector<PartitionDigests> out;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    // A log on servers may give nothing for a moment.
    for (int pauses = 0;; ++pauses) {
      while (runtime.step(i)) {
      }
      const PartitionStatus status = runtime.status().at(i);
      if (!status.stopped.empty() || status.next >= capped.end_of(status.where)) break;
      if (pauses == kPausesMax) break;
      session.parts.pause(kPause);
    }
    ST_ASSIGN(PartitionDigests digests, runtime.digests(partitions[i]));
    out.push_back(std::move(digests));
  }
  runtime.stop();
  return out;
}

}  // namespace sandtrail::cli
