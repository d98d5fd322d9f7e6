// SPDX-License-Identifier: Apache-2.0
// Keys of the read model, and how its rows are read. Integers are big-endian, so later is greater.
//
//   x execution                        -> ExecutionDoc
//   l organisation position            -> execution id bytes: all, in the order of requests
//   t organisation token position      -> execution id bytes: of one thread or metadata pair
//   e execution position               -> TrailDoc
//   d delivery                         -> DeliveryDoc
//   p endpoint position                -> delivery id bytes
//   y execution position               -> delivery id bytes
//   b organisation position            -> LedgerEntry
//   a index                            -> AuditDoc   (on `audit`)
//   o organisation index               -> nothing    (on `audit`)
#pragma once

#include "codec/reflect.h"
#include "codec/text.h"
#include "documents.h"
#include "runtime/projection.h"

namespace sandtrail::gateway {

template <typename... Parts>
Bytes row_key(char letter, const Parts&... parts) {
  Bytes key(1, letter);
  const auto add = [&key]<typename T>(const T& part) {
    if constexpr (std::is_convertible_v<T, std::int64_t>) {
      put_be64(key, static_cast<std::uint64_t>(part));
    } else if constexpr (std::is_convertible_v<T, BytesView>) {
      key += part;
    } else {
      key += part.view();
    }
  };
  (add(parts), ...);
  return key;
}

// The position or index that ends a key.
inline std::int64_t last_number(BytesView key) {
  return static_cast<std::int64_t>(get_be64(key.substr(key.size() - 8)));
}

// A row that cannot be read is a row of a later version: the store would have been rebuilt.
template <typename T>
T row_from(BytesView value) {
  auto row = from_text<T>(value);
  ST_ASSERT(row.ok());
  return std::move(row).value();
}

template <typename T>
std::optional<T> row_at(const Rows& rows, const Bytes& key) {
  const auto value = rows.get(key);
  if (!value) return std::nullopt;
  return row_from<T>(*value);
}

template <typename T>
void put_row(Rows& rows, Bytes key, const T& row) {
  rows.put(std::move(key), to_text(row));
}

inline std::optional<ExecutionDoc> execution_at(const Rows& rows, const ExecutionId& id) {
  return row_at<ExecutionDoc>(rows, row_key('x', id));
}
inline std::optional<DeliveryDoc> delivery_at(const Rows& rows, const DeliveryId& id) {
  return row_at<DeliveryDoc>(rows, row_key('d', id));
}

}  // namespace sandtrail::gateway
