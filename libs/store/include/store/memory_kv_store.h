// SPDX-License-Identifier: Apache-2.0
// The twin of the KvStore adapters: keeps everything in memory, and fails and forgets on demand.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "store/kv_store.h"

namespace sandtrail {

// Thread-safe. A visitor may use the store.
class MemoryKvStore final : public KvStore {
 public:
  MemoryKvStore();

  Result<std::optional<Bytes>> get(BytesView key) const override;
  Status scan(BytesView begin, BytesView end, const Visit& visit) const override;
  Status scan_back(BytesView begin, BytesView end, const Visit& visit) const override;
  Status write(const WriteBatch& batch, Sync sync) override;
  Status compact(BytesView begin, BytesView end) override;

  // Loses every write since the last one with Sync::yes, as a machine does that loses power, and
  // starts anew: injected errors and the refusal after one are gone.
  void crash();
  // The next write fails with `error` and is not applied; later ones are refused until crash().
  void fail_next_write(Error error);
  // Every get and scan fails with `error` until it is nullopt again.
  void fail_reads(std::optional<Error> error);

 private:
  using Map = std::map<Bytes, Bytes, std::less<>>;
  class Snapshot;

  void set(const Bytes& key, const std::optional<Bytes>& value);

  mutable std::mutex mutex_;
  // Readers hold on to the map they scan; a write then goes to a copy. Shared by mutex_ only.
  mutable std::shared_ptr<Map> map_;
  // What each key written since the last sync had before.
  std::map<Bytes, std::optional<Bytes>> unsynced_;
  std::optional<Error> next_write_error_;
  std::optional<Error> write_error_;
  std::optional<Error> read_error_;
};

}  // namespace sandtrail
