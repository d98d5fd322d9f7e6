// SPDX-License-Identifier: Apache-2.0
// Rows of one batch over a store: reads see what the batch wrote.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/projection.h"
#include "store/kv_store.h"

namespace sandtrail {

// Not thread-safe. The first store error is kept and makes take() fail.
class StoreOverlay {
 public:
  explicit StoreOverlay(const KvStore& store) : store_(store) {}

  std::optional<Bytes> get(const Bytes& key) const;
  void put(Bytes key, Bytes value) { pending_[std::move(key)] = std::move(value); }
  void remove(Bytes key) { pending_[std::move(key)] = std::nullopt; }
  void scan(const Bytes& begin, const Bytes& end, bool backwards, const Rows::Visit& visit) const;

  // What was written since the last call.
  Result<WriteBatch> take();

 private:
  const KvStore& store_;
  std::map<Bytes, std::optional<Bytes>> pending_;
  mutable std::optional<Error> error_;
};

// The part of an overlay under one prefix.
class PrefixedRows final : public Rows {
 public:
  PrefixedRows(StoreOverlay& overlay, Bytes prefix);
  std::optional<Bytes> get(BytesView key) const override;
  void scan(BytesView begin, BytesView end, const Visit& visit) const override;
  void scan_back(BytesView begin, BytesView end, const Visit& visit) const override;
  void put(BytesView key, Bytes value) override;
  void remove(BytesView key) override;

 private:
  void scan_either(BytesView begin, BytesView end, bool backwards, const Visit& visit) const;

  StoreOverlay& overlay_;
  Bytes prefix_;
};

}  // namespace sandtrail
