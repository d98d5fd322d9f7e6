// SPDX-License-Identifier: Apache-2.0
#include "sealing/root_check.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "store/memory_key_store.h"

namespace sandtrail {
namespace {

TEST_CASE("processes that share a key store must have the same root key") {
  const ManualClock clock;
  SeededRandom random{3};
  MemoryKeyStore store;
  const std::string ours = root_check_text(SecretBytes::random(32, random));
  const std::string other = root_check_text(SecretBytes::random(32, random));
  CHECK(ours.size() == 32);
  CHECK(ours != other);
  // Who may not write has nothing to compare with yet.
  CHECK(check_root_key(other, "/root.key", store, false, clock).ok());
  CHECK(store.get(root_check_id()).error().code == ErrorCode::not_found);
  CHECK(check_root_key(ours, "/root.key", store, true, clock).ok());
  for (const bool may_write : {true, false}) {
    CHECK(check_root_key(ours, "/root.key", store, may_write, clock).ok());
    const Status refused = check_root_key(other, "/root.key", store, may_write, clock);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().message == "/root.key is not the key that this data is under");
  }
}

}  // namespace
}  // namespace sandtrail
