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
  const auto unknown = check_root_key(other, "/root.key", store, NoRootCheck::accept, clock);
  REQUIRE(unknown.ok());
  CHECK(!*unknown);
  CHECK(store.get(root_check_id()).error().code == ErrorCode::not_found);
  CHECK(check_root_key(ours, "/root.key", store, NoRootCheck::make, clock).ok());
  for (const NoRootCheck missing : {NoRootCheck::make, NoRootCheck::accept, NoRootCheck::lost}) {
    const auto known = check_root_key(ours, "/root.key", store, missing, clock);
    REQUIRE(known.ok());
    CHECK(*known);
    const auto refused = check_root_key(other, "/root.key", store, missing, clock);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().message == "/root.key is not the key that this data is under");
  }
}

TEST_CASE("a key store that is empty and was not is refused, and nothing is written to it") {
  const ManualClock clock;
  MemoryKeyStore store;
  const auto refused =
      check_root_key(std::string(32, 'a'), "/root.key", store, NoRootCheck::lost, clock);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().message == "the key store has lost what it held");
  CHECK(store.get(root_check_id()).error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace sandtrail
