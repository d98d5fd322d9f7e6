// SPDX-License-Identifier: Apache-2.0
// One answer from several partitions.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "call.h"

namespace sandtrail::gateway {

// Asks `read` of every partition of `events` (all topics, if `all`), each on its thread, and gives
// the results to `done` on the last one's. A partition that cannot answer: 503.
template <typename T>
void gather(Context& context, const CallPtr& call, bool all,
            std::function<T(const PartitionView&)> read, std::function<void(std::vector<T>)> done) {
  struct State {
    std::mutex mutex;
    std::vector<T> results;
    std::size_t open = 0;
  };
  std::vector<TopicPartition> wheres;
  for (const TopicPartition& where : context.runtime.partitions()) {
    if (all || where.topic == "events") wheres.push_back(where);
  }
  const auto state = std::make_shared<State>();
  state->open = wheres.size();
  for (const TopicPartition& where : wheres) {
    query(context, call, where, [state, read, done](const PartitionView& view) {
      T result = read(view);
      std::vector<T> results;
      {
        const std::lock_guard lock(state->mutex);
        state->results.push_back(std::move(result));
        if (--state->open > 0) return;
        results = std::move(state->results);
      }
      done(std::move(results));
    });
  }
}

}  // namespace sandtrail::gateway
