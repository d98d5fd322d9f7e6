// SPDX-License-Identifier: Apache-2.0
#include "rebuild.h"

#include "capped_log.h"
#include "log_fold.h"
#include "progress.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

constexpr int kPausesMax = 50;
constexpr Millis kPause{100};

}  // namespace

Result<std::vector<PartitionDigests>> rebuild(Session& session, EventLog& log,
                                              std::map<TopicPartition, Position> ends,
                                              KvStore& store) {
  std::int64_t total = 0;
  for (const auto& [where, end] : ends) total += end.value;
  CappedLog capped(log, std::move(ends));
  // Nothing here depends on the time: a fold has no clock.
  ManualClock clock(session.parts.clock.now());
  RuntimeOptions options;
  ST_ASSIGN(const auto events, partitions_of(log, kEventsTopic));
  options.events_partitions = static_cast<std::int32_t>(events.size());
  options.threads = false;
  if (session.parts.open_objects) {
    options.open_bases = [&session] { return session.open_objects(); };
  }
  Runtime runtime(options, capped, store, clock, session.parts.random);
  for (auto& projection : session.parts.projections()) runtime.add(std::move(projection));
  ST_CHECK_OK(runtime.start());
  const auto partitions = runtime.partitions();
  std::vector<PartitionDigests> out;
  ProgressLine line(session);
  std::int64_t done = 0;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    // A log on servers may give nothing for a moment.
    for (int pauses = 0;; ++pauses) {
      while (runtime.step(i)) {
        const std::int64_t next = runtime.status().at(i).next.value;
        line.show("folding " + partitions[i].text(), done + next, total);
      }
      const PartitionStatus status = runtime.status().at(i);
      if (!status.stopped.empty() || status.next >= capped.end_of(status.where)) break;
      if (pauses == kPausesMax) break;
      session.parts.pause(kPause);
    }
    ST_ASSIGN(PartitionDigests digests, runtime.digests(partitions[i]));
    done += digests.next.value;
    out.push_back(std::move(digests));
  }
  runtime.stop();
  return out;
}

}  // namespace sandtrail::cli
