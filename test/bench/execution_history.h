// SPDX-License-Identifier: Apache-2.0
// A long, legal history of one partition of `events`, as a busy server would have written it: what
// the benchmarks of folding read. The same seed gives the same events.
#pragma once

#include <deque>

#include "base/random.h"
#include "domain/core.h"

namespace sandtrail::bench {

// The life of each execution: requested, assigned, started, finished, settled, scheduled,
// delivered, and an hour later erased and key_destroyed. Some run at the same time. Log time passes
// with every event, so that the fold also forgets, as it does in a real log.
class ExecutionHistory {
 public:
  // `between`: two events.
  explicit ExecutionHistory(std::uint64_t seed, Millis between = Millis{500});

  // The next event; `event.time` is the time of its append.
  Event next();

 private:
  struct Erasure {
    UnixMs due;
    ExecutionId execution;
  };
  void begin();
  Event made(EventBody body, const std::string& subject);
  Event decided(DeciderRole role, EventBody body, const std::string& subject);
  Event next_of_life();
  ExecutionRequested request();
  ExecutionFinished finish(const ExecutionId& id, const ExecutionRow& row);
  BillingSettled settle(const ExecutionId& id, const ExecutionRow& row) const;
  SealedPayload payload(const DataKeyId& key, std::size_t bytes);
  template <typename AnyId>
  AnyId fresh() {
    return AnyId(fresh_id_bytes(now_, random_));
  }

  SeededRandom random_;
  const Millis between_;
  UnixMs now_{1'700'000'000'000};
  std::int64_t position_ = 0;
  Core core_{TopicKind::events};
  std::deque<Event> beginning_;
  OrgId org_;
  KeyId key_;
  EndpointId endpoint_;
  std::deque<ExecutionId> alive_;
  std::map<ExecutionId, DeliveryId> deliveries_;
  std::deque<Erasure> to_erase_;
  std::deque<ExecutionId> erased_;
  std::int64_t audited_ = 0;
};

}  // namespace sandtrail::bench
