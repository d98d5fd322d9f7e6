// SPDX-License-Identifier: Apache-2.0
// A projection keeps rows that follow from the judged records of one partition, and only from them.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "runtime/types.h"

namespace sandtrail {

// The rows of one projection in one partition. A store error shows as an absent row and stops the
// partition before anything is committed. Used on the partition's thread only.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual std::optional<Bytes> get(BytesView key) const = 0;
  // Keys in [begin, end) in byte order, or backwards; `end` empty: to the last. Until `visit`
  // returns false.
  using Visit = std::function<bool(BytesView key, BytesView value)>;
  virtual void scan(BytesView begin, BytesView end, const Visit& visit) const = 0;
  virtual void scan_back(BytesView begin, BytesView end, const Visit& visit) const = 0;
  // Only inside Projection::apply.
  virtual void put(BytesView key, Bytes value) = 0;
  virtual void remove(BytesView key) = 0;
};

// One instance serves every partition, from several threads: apply() must depend on its arguments
// only, or the digests of two processes differ.
class Projection {
 public:
  virtual ~Projection() = default;
  // Stable: it stands in the store's keys.
  virtual std::string_view name() const = 0;
  virtual bool folds(TopicKind topic) const = 0;
  // After the core has folded the record; `state` includes it.
  virtual void apply(const Folded& folded, const CoreState& state, Rows& rows) const = 0;
};

}  // namespace sandtrail
