// SPDX-License-Identifier: Apache-2.0
// The rows of a batch over a store, against a plain map.
#include <doctest/doctest.h>

#include <map>

#include "base/random.h"
#include "store/memory_kv_store.h"
#include "store_overlay.h"

using namespace sandtrail;

namespace {

using Pairs = std::vector<std::pair<Bytes, Bytes>>;

struct Model {
  std::map<Bytes, Bytes> rows;
  Pairs scan(const Bytes& begin, const Bytes& end, bool backwards, std::size_t most) const {
    Pairs out;
    for (const auto& [key, value] : rows) {
      if (key >= begin && (end.empty() || key < end)) out.emplace_back(key, value);
    }
    if (backwards) out = {out.rbegin(), out.rend()};
    if (out.size() > most) out.resize(most);
    return out;
  }
};

Pairs scan(const Rows& rows, const Bytes& begin, const Bytes& end, bool backwards,
           std::size_t most) {
  Pairs out;
  const auto visit = [&](BytesView key, BytesView value) {
    out.emplace_back(key, value);
    return out.size() < most;
  };
  backwards ? rows.scan_back(begin, end, visit) : rows.scan(begin, end, visit);
  return out;
}

Bytes any_key(Random& random) {
  Bytes key;
  for (std::uint64_t i = random.below(3); i > 0; --i) {
    key += static_cast<char>(random.below(4) == 0 ? 0xff : 'a' + random.below(3));
  }
  return key;
}

}  // namespace

TEST_CASE("scans in both directions see the batch over the store, as one map") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    SeededRandom random(seed);
    MemoryKvStore store;
    StoreOverlay overlay(store);
    PrefixedRows rows(overlay, "p\xff");
    PrefixedRows neighbour(overlay, "p\xfe");
    Model model;
    for (int step = 0; step < 60; ++step) {
      const Bytes key = any_key(random);
      switch (random.below(5)) {
        case 0:
        case 1: {
          const Bytes value = std::to_string(step);
          rows.put(key, value);
          neighbour.put(key, "not ours");
          model.rows[key] = value;
          break;
        }
        case 2:
          rows.remove(key);
          model.rows.erase(key);
          break;
        case 3: {
          const Bytes end = random.below(3) == 0 ? Bytes() : any_key(random);
          const bool backwards = random.below(2) == 0;
          const std::size_t most = 1 + random.below(6);
          CHECK(scan(rows, key, end, backwards, most) == model.scan(key, end, backwards, most));
          break;
        }
        default: {
          const auto found = model.rows.find(key);
          const auto got = rows.get(key);
          REQUIRE(got.has_value() == (found != model.rows.end()));
          if (got) CHECK(*got == found->second);
          if (random.below(4) > 0) break;
          auto batch = overlay.take();
          REQUIRE(batch.ok());
          REQUIRE(store.write(*batch, KvStore::Sync::no).ok());
        }
      }
    }
    CHECK(scan(rows, "", "", false, 1000) == model.scan("", "", false, 1000));
  }
}

TEST_CASE("a store error shows as an absent row, and no batch can be taken any more") {
  MemoryKvStore store;
  for (const int kind : {0, 1, 2}) {
    CAPTURE(kind);
    StoreOverlay overlay(store);
    PrefixedRows rows(overlay, "p");
    rows.put("a", "1");
    store.fail_reads(Error{ErrorCode::corrupt, "bad block", ""});
    if (kind == 0) CHECK(!rows.get("b"));
    if (kind == 1) CHECK(scan(rows, "", "", false, 10).size() == 1);
    if (kind == 2) CHECK(scan(rows, "", "", true, 10).size() == 1);
    store.fail_reads(std::nullopt);
    const auto batch = overlay.take();
    REQUIRE(!batch.ok());
    CHECK(batch.error().code == ErrorCode::corrupt);
  }
}
