// SPDX-License-Identifier: Apache-2.0
// The items that crash_writer writes and kill_test looks for: functions of their number.
#pragma once

#include <string>

#include "base/random.h"
#include "store/key_store.h"

namespace sandtrail::test {

inline std::string item_name(int i) {
  return "item_" + std::to_string(1'000'000 + i);
}

inline Bytes item_content(int i) {
  SeededRandom random(static_cast<std::uint64_t>(i));
  return random.bytes(300 + static_cast<std::size_t>(random.below(300)));
}

inline WrappedKey item_key(int i) {
  SeededRandom random(static_cast<std::uint64_t>(i) + (1ull << 32));
  WrappedKey key;
  key.id = DataKeyId::derived(random.bytes(16));
  key.org = OrgId::derived(random.bytes(16));
  key.created.count = i;
  key.wrapped = random.bytes(60);
  return key;
}

}  // namespace sandtrail::test
