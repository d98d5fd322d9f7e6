// SPDX-License-Identifier: Apache-2.0
// Taking data keys from one store to another.
#pragma once

#include <cstdint>
#include <functional>

#include "store/key_store.h"

namespace sandtrail {

// Puts every key that `take` accepts into `to` (empty: all), and waits for the answers; some of
// them are under way at once. Returns how many. Repeats do no harm. Blocks.
Result<std::int64_t> copy_keys(const KeyStore& from, KeyStore& to,
                               const std::function<bool(const WrappedKey&)>& take);

}  // namespace sandtrail
