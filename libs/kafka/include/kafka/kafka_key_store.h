// SPDX-License-Identifier: Apache-2.0
// The KeyStore of a cluster: a compacted topic, `keys`, of one partition. Every process that needs
// keys folds it into memory: about 300 bytes a key, at most limits::kClusterKeysMax.
//
//   record = key: the data key's id as text; value: {"org","created","wrapped" (base64)}
//   a record without value (tombstone) destroys the key
//   key "tick": holds nothing; see below
//
// Beyond the port:
// - destroy() is answered once the tombstone is on every in-sync replica and folded here. The
//   broker rewrites its files later: within `compaction_lag`, and what its cleaner takes, no file
//   of the topic holds the wrapped bytes. A broker closes a segment only when something is appended
//   to it, so the store appends ticks after a destroy until that time is over.
// - get() of a key that is not known here first folds to the tail: what another process has put
//   before is found. It blocks for it, at most limits::kKafkaCallTimeout twice.
// - A conflict is told from what is known here. Two processes that put different keys under one id
//   at the same moment (ids are random) both succeed, and the later stands.
#pragma once

#include <memory>

#include "base/clock.h"
#include "kafka/connection.h"
#include "store/key_store.h"

namespace sandtrail {

struct KafkaKeyStoreOptions {
  KafkaConnection connection;
  Millis compaction_lag = hours(1);  // the topic's max.compaction.lag.ms
};

// Returns without waiting for a broker; until one answers, and the topic is folded, get() and
// list() are `unavailable`. `clock` must outlive the store. Errors: invalid_argument, denied,
// not_found (of the connection's settings).
Result<std::unique_ptr<KeyStore>> open_kafka_key_store(const KafkaKeyStoreOptions& options,
                                                       const Clock& clock);

}  // namespace sandtrail
