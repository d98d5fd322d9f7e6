// SPDX-License-Identifier: Apache-2.0
// The KvStore port: an ordered map of bytes with atomic batches, where consumers keep what they
// folded (core, projections, timers, position). It is a cache of the log: losing it costs a replay.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail {

// Writes applied together or not at all, in order; later writes of one key win.
class WriteBatch {
 public:
  void put(Bytes key, Bytes value) { writes_.push_back({std::move(key), std::move(value)}); }
  void remove(Bytes key) { writes_.push_back({std::move(key), std::nullopt}); }
  void clear() { writes_.clear(); }
  bool empty() const { return writes_.empty(); }

  struct Write {
    Bytes key;
    std::optional<Bytes> value;  // nullopt removes
  };
  const std::vector<Write>& writes() const { return writes_; }

 private:
  std::vector<Write> writes_;
};

// Thread-safe.
class KvStore {
 public:
  virtual ~KvStore() = default;

  virtual Result<std::optional<Bytes>> get(BytesView key) const = 0;
  // Visits keys in [begin, end) in byte order, or backwards from the last one below `end`, until
  // `visit` returns false. Sees one state of the store. `end` empty: to the last key.
  using Visit = std::function<bool(BytesView key, BytesView value)>;
  virtual Status scan(BytesView begin, BytesView end, const Visit& visit) const = 0;
  virtual Status scan_back(BytesView begin, BytesView end, const Visit& visit) const = 0;

  enum class Sync { no, yes };
  // Atomic. With Sync::yes it is durable on return; with no it survives kill -9 of the process
  // but perhaps not the machine; a later write with yes covers it. After a write error the store
  // refuses further writes until it is opened again; the failed batch may or may not be there then.
  virtual Status write(const WriteBatch& batch, Sync sync) = 0;

  // Rewrites [begin, end) so that no file holds a removed or replaced value of it. Waits for scans
  // that still read the old files; timeout if one does not end.
  virtual Status compact(BytesView begin, BytesView end) = 0;
};

// The first key after all keys that start with `prefix`; empty if there is none.
Bytes prefix_end(BytesView prefix);

}  // namespace sandtrail
