// SPDX-License-Identifier: Apache-2.0
#include "store/digest.h"

#include <doctest/doctest.h>

#include "store/memory_kv_store.h"

using namespace sandtrail;

namespace {

Bytes digest_of_pairs(const std::vector<std::pair<Bytes, Bytes>>& pairs) {
  MemoryKvStore store;
  WriteBatch batch;
  for (const auto& [key, value] : pairs) batch.put(key, value);
  REQUIRE(store.write(batch, KvStore::Sync::no).ok());
  return *digest_of(store, "", "");
}

}  // namespace

TEST_CASE("store digests: the value another implementation computes") {
  CHECK(hex(digest_of_pairs({})) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(digest_of_pairs({{"b", ""}, {"a", "one"}})) ==
        "c2315fef47ec0a6a8161981d3d04e3fe1be4c76b1998b41882702578d056b972");
}

TEST_CASE("store digests: order of writes does not matter, every boundary does") {
  CHECK(digest_of_pairs({{"a", "1"}, {"b", "2"}}) == digest_of_pairs({{"b", "2"}, {"a", "1"}}));
  CHECK(digest_of_pairs({{"a", "bc"}}) != digest_of_pairs({{"ab", "c"}}));
  CHECK(digest_of_pairs({{"a", ""}, {"b", ""}}) != digest_of_pairs({{"a", "b"}}));
}

TEST_CASE("store digests: only the range counts, and read errors pass through") {
  MemoryKvStore store;
  WriteBatch batch;
  batch.put("a", "1");
  batch.put("b", "2");
  batch.put("c", "3");
  REQUIRE(store.write(batch, KvStore::Sync::no).ok());
  CHECK(*digest_of(store, "b", "c") == digest_of_pairs({{"b", "2"}}));
  CHECK(*digest_of(store, "b", "") == digest_of_pairs({{"b", "2"}, {"c", "3"}}));
  store.fail_reads(Error{ErrorCode::corrupt, "", ""});
  CHECK(digest_of(store, "", "").error().code == ErrorCode::corrupt);
}
