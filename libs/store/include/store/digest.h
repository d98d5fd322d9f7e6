// SPDX-License-Identifier: Apache-2.0
// Comparing stores: a rebuilt projection with the old one, or the same fold of two processes.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "store/kv_store.h"

namespace sandtrail {

// SHA-256 over every pair of [begin, end) in byte order, each as
//   key length (8 bytes, big endian) ‖ key ‖ value length (8 bytes, big endian) ‖ value
// of one state of the store. `end` empty: to the last key. Equal for equal contents, whatever the
// adapter and the order of the writes.
Result<Bytes> digest_of(const KvStore& store, BytesView begin, BytesView end);

}  // namespace sandtrail
