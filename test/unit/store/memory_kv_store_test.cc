// SPDX-License-Identifier: Apache-2.0
#include "store/memory_kv_store.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/random.h"
#include "store/digest.h"

using namespace sandtrail;

namespace {

void put(MemoryKvStore& store, Bytes key, Bytes value, KvStore::Sync sync) {
  WriteBatch batch;
  batch.put(std::move(key), std::move(value));
  REQUIRE(store.write(batch, sync).ok());
}

}  // namespace

TEST_CASE("memory kv store: a crash loses exactly what was written since the last sync") {
  MemoryKvStore store;
  put(store, "kept", "1", KvStore::Sync::no);
  put(store, "changed", "old", KvStore::Sync::no);
  put(store, "removed", "still there", KvStore::Sync::yes);  // covers the two before it
  put(store, "changed", "new", KvStore::Sync::no);
  put(store, "changed", "newer", KvStore::Sync::no);
  put(store, "added", "gone again", KvStore::Sync::no);
  WriteBatch removal;
  removal.remove("removed");
  REQUIRE(store.write(removal, KvStore::Sync::no).ok());
  CHECK(**store.get("changed") == "newer");
  CHECK_FALSE(store.get("removed")->has_value());

  store.crash();
  CHECK(**store.get("kept") == "1");
  CHECK(**store.get("changed") == "old");
  CHECK(**store.get("removed") == "still there");
  CHECK_FALSE(store.get("added")->has_value());
  store.crash();
  CHECK(**store.get("changed") == "old");
}

TEST_CASE("memory kv store: random writes, syncs and crashes agree with a model") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    SeededRandom random(seed);
    MemoryKvStore store;
    std::map<Bytes, Bytes> current;
    std::map<Bytes, Bytes> durable;
    for (int step = 0; step < 200; ++step) {
      if (random.below(20) == 0) {
        store.crash();
        current = durable;
      } else {
        WriteBatch batch;
        for (std::uint64_t i = random.below(4) + 1; i > 0; --i) {
          const Bytes key = std::to_string(random.below(12));
          if (random.below(3) == 0) {
            batch.remove(key);
            current.erase(key);
          } else {
            const Bytes value = std::to_string(random.below(1000));
            batch.put(key, value);
            current[key] = value;
          }
        }
        const bool sync = random.below(4) == 0;
        REQUIRE(store.write(batch, sync ? KvStore::Sync::yes : KvStore::Sync::no).ok());
        if (sync) durable = current;
      }
      std::map<Bytes, Bytes> seen;
      REQUIRE(store
                  .scan("", "",
                        [&seen](BytesView key, BytesView value) {
                          seen.emplace(key, value);
                          return true;
                        })
                  .ok());
      REQUIRE(seen == current);
    }
  }
}

TEST_CASE("memory kv store: an injected write error stops it until it crashes") {
  MemoryKvStore store;
  put(store, "a", "1", KvStore::Sync::yes);
  store.fail_next_write(Error{ErrorCode::disk_full, "full", ""});
  WriteBatch batch;
  batch.put("a", "2");
  CHECK(store.write(batch, KvStore::Sync::no).error().code == ErrorCode::disk_full);
  CHECK(store.write(batch, KvStore::Sync::no).error().code == ErrorCode::internal);
  CHECK(store.compact("", "").error().code == ErrorCode::internal);
  CHECK(**store.get("a") == "1");
  store.crash();
  CHECK(store.write(batch, KvStore::Sync::no).ok());
  CHECK(store.compact("", "").ok());
  CHECK(**store.get("a") == "2");
}

TEST_CASE("memory kv store: injected read errors end") {
  MemoryKvStore store;
  store.fail_reads(Error{ErrorCode::unavailable, "away", ""});
  const auto visit = [](BytesView, BytesView) { return true; };
  CHECK(store.get("a").error().code == ErrorCode::unavailable);
  CHECK(store.scan("", "", visit).error().code == ErrorCode::unavailable);
  CHECK(store.scan_back("", "", visit).error().code == ErrorCode::unavailable);
  store.fail_reads(std::nullopt);
  CHECK(store.get("a").ok());
  CHECK(store.scan("", "", visit).ok());
}
