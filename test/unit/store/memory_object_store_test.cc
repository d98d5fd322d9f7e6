// SPDX-License-Identifier: Apache-2.0
#include "store/memory_object_store.h"

#include <doctest/doctest.h>

using namespace sandtrail;

TEST_CASE("memory object store: injected errors end, and nothing was done") {
  MemoryObjectStore store;
  REQUIRE(store.put("a", "1").ok());
  store.fail(Error{ErrorCode::unavailable, "away", ""});
  CHECK(store.put("b", "2").error().retryable());
  CHECK(store.get("a").error().code == ErrorCode::unavailable);
  CHECK(store.remove("a").error().code == ErrorCode::unavailable);
  store.fail(std::nullopt);
  CHECK(*store.get("a") == "1");
  CHECK(store.get("b").error().code == ErrorCode::not_found);
  CHECK(store.count() == 1);
}

TEST_CASE("memory object store: past its capacity the disk is full until something is removed") {
  MemoryObjectStore store;
  store.set_capacity_bytes(10);
  REQUIRE(store.put("a", "123456").ok());
  CHECK(store.put("b", "12345").error().code == ErrorCode::disk_full);
  CHECK(store.put("a", "123456").ok());  // already there
  REQUIRE(store.put("c", "1234").ok());
  REQUIRE(store.remove("a").ok());
  CHECK(store.put("b", "12345").ok());
  store.set_capacity_bytes(std::nullopt);
  CHECK(store.put("d", Bytes(100, 'x')).ok());
}
