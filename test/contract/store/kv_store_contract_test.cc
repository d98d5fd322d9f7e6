// SPDX-License-Identifier: Apache-2.0
// What every KvStore promises, tried on the adapter and on the twin.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "disk.h"
#include "store/kv_store.h"
#include "store/memory_kv_store.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

using Pairs = std::vector<std::pair<Bytes, Bytes>>;
using Sync = KvStore::Sync;

struct MemoryKv {
  MemoryKvStore twin;
  KvStore& store() { return twin; }
  void reopen() { twin.crash(); }
  bool holds(BytesView needle) {
    bool found = false;
    (void)twin.scan("", "", [&](BytesView, BytesView value) {
      found = found || value.find(needle) != BytesView::npos;
      return true;
    });
    return found;
  }
  void fill_disk() { twin.fail_next_write(Error{ErrorCode::disk_full, "full", ""}); }
  void empty_disk() {}
};

struct RocksDbKv {
  SmallDisk disk{128u << 20};
  std::unique_ptr<KvStore> adapter;

  RocksDbKv() { open(); }
  void open() {
    auto opened = open_rocksdb_kv_store(disk.path() + "/store");
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
    adapter = std::move(*opened);
  }
  KvStore& store() { return *adapter; }
  void reopen() {
    adapter.reset();
    open();
  }
  bool holds(BytesView needle) { return directory_holds(disk.path(), needle); }
  void fill_disk() { disk.fill(); }
  void empty_disk() { disk.empty(); }
};

void put(KvStore& store, Bytes key, Bytes value, Sync sync = Sync::no) {
  WriteBatch batch;
  batch.put(std::move(key), std::move(value));
  REQUIRE(store.write(batch, sync).ok());
}

void remove(KvStore& store, Bytes key) {
  WriteBatch batch;
  batch.remove(std::move(key));
  REQUIRE(store.write(batch, Sync::no).ok());
}

std::optional<Bytes> get(const KvStore& store, BytesView key) {
  auto value = store.get(key);
  REQUIRE(value.ok());
  return *value;
}

Pairs scan(const KvStore& store, BytesView begin, BytesView end, std::size_t count_max = 1000) {
  Pairs out;
  REQUIRE(store
              .scan(begin, end,
                    [&](BytesView key, BytesView value) {
                      out.emplace_back(key, value);
                      return out.size() < count_max;
                    })
              .ok());
  return out;
}

Pairs scan_back(const KvStore& store, BytesView begin, BytesView end,
                std::size_t count_max = 1000) {
  Pairs out;
  REQUIRE(store
              .scan_back(begin, end,
                         [&](BytesView key, BytesView value) {
                           out.emplace_back(key, value);
                           return out.size() < count_max;
                         })
              .ok());
  return out;
}

Bytes keys_of(const Pairs& pairs) {
  Bytes out;
  for (const auto& [key, value] : pairs) out += key + ",";
  return out;
}

}  // namespace

#define KV_TEST(name) TEST_CASE_TEMPLATE("kv store: " name, Fixture, MemoryKv, RocksDbKv)

KV_TEST("values are found under their key, and empty is not absent") {
  Fixture fixture;
  KvStore& store = fixture.store();
  CHECK(get(store, "a") == std::nullopt);
  put(store, "a", "1");
  put(store, "empty", "");
  put(store, "", "of the empty key");
  put(store, Bytes("nul\0\xff", 5), Bytes("\0\n\xff", 3));
  CHECK(get(store, "a") == "1");
  CHECK(get(store, "empty") == "");
  CHECK(get(store, "") == "of the empty key");
  CHECK(get(store, BytesView("nul\0\xff", 5)) == Bytes("\0\n\xff", 3));
  CHECK(get(store, "nul") == std::nullopt);
  put(store, "a", "2");
  CHECK(get(store, "a") == "2");
  remove(store, "a");
  remove(store, "never there");
  CHECK(get(store, "a") == std::nullopt);
}

KV_TEST("in a batch later writes of one key win") {
  Fixture fixture;
  KvStore& store = fixture.store();
  WriteBatch batch;
  batch.put("a", "1");
  batch.put("a", "2");
  batch.put("b", "1");
  batch.remove("b");
  batch.remove("c");
  batch.put("c", "1");
  REQUIRE(store.write(batch, Sync::yes).ok());
  CHECK(scan(store, "", "") == Pairs{{"a", "2"}, {"c", "1"}});
  CHECK(store.write(WriteBatch(), Sync::no).ok());
  CHECK(store.write(WriteBatch(), Sync::yes).ok());
  CHECK(scan(store, "", "").size() == 2);
}

KV_TEST("ranges include their begin, exclude their end, and go both ways") {
  Fixture fixture;
  KvStore& store = fixture.store();
  CHECK(scan(store, "", "").empty());
  CHECK(scan_back(store, "", "").empty());
  for (const char* key : {"b", "d", "a", "c", "dd"}) put(store, key, "");
  put(store, "\x80", "");
  put(store, "\xff\xff", "");
  const struct {
    Bytes begin, end, keys, keys_back;
  } rows[] = {
      {"", "", "a,b,c,d,dd,\x80,\xff\xff,", "\xff\xff,\x80,dd,d,c,b,a,"},
      {"b", "d", "b,c,", "c,b,"},
      {"b", "dd", "b,c,d,", "d,c,b,"},
      {"bb", "cc", "c,", "c,"},
      {"d", "", "d,dd,\x80,\xff\xff,", "\xff\xff,\x80,dd,d,"},
      {"", "c", "a,b,", "b,a,"},
      {"e", "f", "", ""},
      {"b", "b", "", ""},
      {"c", "b", "", ""},
      {"\xff\xff\xff", "", "", ""},
      {"", "a", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.begin);
    CAPTURE(row.end);
    CHECK(keys_of(scan(store, row.begin, row.end)) == row.keys);
    CHECK(keys_of(scan_back(store, row.begin, row.end)) == row.keys_back);
  }
}

KV_TEST("a visitor ends the scan") {
  Fixture fixture;
  KvStore& store = fixture.store();
  for (const char* key : {"a", "b", "c"}) put(store, key, "");
  CHECK(keys_of(scan(store, "", "", 1)) == "a,");
  CHECK(keys_of(scan_back(store, "", "", 2)) == "c,b,");
}

KV_TEST("random writes and ranges agree with a model") {
  Fixture fixture;
  KvStore& store = fixture.store();
  SeededRandom random(42);
  std::map<Bytes, Bytes> model;
  const auto random_key = [&random] {
    return random.bytes(static_cast<std::size_t>(random.below(3)));
  };
  for (int round = 0; round < 60; ++round) {
    WriteBatch batch;
    for (int i = 0; i < 20; ++i) {
      const Bytes key = random_key();
      if (random.below(3) == 0) {
        batch.remove(key);
        model.erase(key);
      } else {
        batch.put(key, std::to_string(round));
        model[key] = std::to_string(round);
      }
    }
    REQUIRE(store.write(batch, Sync::no).ok());
    const Bytes begin = random_key();
    const Bytes end = random_key();
    Pairs expected;
    for (const auto& [key, value] : model) {
      if (key >= begin && (end.empty() || key < end)) expected.emplace_back(key, value);
    }
    REQUIRE(scan(store, begin, end) == expected);
    REQUIRE(scan_back(store, begin, end) == Pairs(expected.rbegin(), expected.rend()));
    if (round % 20 == 19) REQUIRE(store.compact("", "").ok());
  }
}

KV_TEST("a scan sees one state, and its visitor may use the store") {
  Fixture fixture;
  KvStore& store = fixture.store();
  for (const char* key : {"a", "b", "c"}) put(store, key, "old");
  for (const bool back : {false, true}) {
    Pairs seen;
    const auto visit = [&](BytesView key, BytesView value) {
      seen.emplace_back(key, value);
      put(store, "a", "new");
      put(store, "bb", "new");
      remove(store, "c");
      CHECK(get(store, "a") == "new");
      return true;
    };
    REQUIRE((back ? store.scan_back("", "", visit) : store.scan("", "", visit)).ok());
    const Pairs expected = back ? Pairs{{"bb", "new"}, {"b", "old"}, {"a", "new"}}
                                : Pairs{{"a", "old"}, {"b", "old"}, {"c", "old"}};
    CHECK(seen == expected);
  }
  CHECK(scan(store, "", "") == Pairs{{"a", "new"}, {"b", "old"}, {"bb", "new"}});
}

KV_TEST("big keys and values") {
  Fixture fixture;
  KvStore& store = fixture.store();
  SeededRandom random(1);
  const Bytes key = random.bytes(100'000);
  const Bytes value = random.bytes(9u << 20);  // more than a write buffer
  put(store, key, value, Sync::yes);
  CHECK(get(store, key) == value);
  fixture.reopen();
  CHECK(get(fixture.store(), key) == value);
}

KV_TEST("what was synced is there after opening anew, and what it covered") {
  Fixture fixture;
  put(fixture.store(), "before", "1", Sync::no);
  put(fixture.store(), "removed", "1", Sync::yes);
  remove(fixture.store(), "removed");
  put(fixture.store(), "last", "2", Sync::yes);
  fixture.reopen();
  CHECK(scan(fixture.store(), "", "") == Pairs{{"before", "1"}, {"last", "2"}});
}

KV_TEST("readers see batches whole while others write") {
  Fixture fixture;
  KvStore& store = fixture.store();
  constexpr int kRounds = 300;
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::atomic<int> scans = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      do {
        std::vector<Bytes> values;
        const Status status = store.scan("pair/", "pair0", [&](BytesView, BytesView value) {
          values.emplace_back(value);
          return true;
        });
        const bool whole = values.empty() || (values.size() == 2 && values[0] == values[1]);
        if (!status.ok() || !whole) ++torn;
        ++scans;
      } while (!stop);
    });
  }
  for (int i = 0; i < kRounds; ++i) {
    WriteBatch batch;
    batch.put("pair/1", std::to_string(i));
    batch.put("pair/2", std::to_string(i));
    REQUIRE(store.write(batch, Sync::no).ok());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(scans >= 2);
}

KV_TEST("many writers at a time") {
  Fixture fixture;
  KvStore& store = fixture.store();
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 100; ++i) {
        WriteBatch batch;
        batch.put(std::to_string(w) + "/" + std::to_string(i), "x");
        if (!store.write(batch, i % 10 == 0 ? Sync::yes : Sync::no).ok()) ++failures;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(failures == 0);
  CHECK(scan(store, "", "").size() == 400);
}

KV_TEST("compacting a range erases removed and replaced values from every file") {
  Fixture fixture;
  SeededRandom random(3);
  const Bytes removed = random.bytes(64);
  const Bytes replaced = random.bytes(64);
  const Bytes kept = random.bytes(64);
  for (int i = 0; i < 200; ++i) put(fixture.store(), "k" + std::to_string(i), random.bytes(64));
  put(fixture.store(), "k100", removed, Sync::yes);
  put(fixture.store(), "k50", replaced);
  put(fixture.store(), "k60", kept, Sync::yes);
  fixture.reopen();  // into table files; then once more into the write-ahead log
  REQUIRE(fixture.store().compact("", "").ok());
  put(fixture.store(), "k100", removed, Sync::yes);
  put(fixture.store(), "k150", removed, Sync::yes);
  CHECK(fixture.holds(removed));
  CHECK(fixture.holds(replaced));

  remove(fixture.store(), "k100");
  remove(fixture.store(), "k150");
  put(fixture.store(), "k50", "new", Sync::yes);
  REQUIRE(fixture.store().compact("k1", "k2").ok());
  CHECK_FALSE(fixture.holds(removed));
  CHECK(get(fixture.store(), "k50") == "new");
  REQUIRE(fixture.store().compact("k5", "").ok());
  CHECK_FALSE(fixture.holds(replaced));
  CHECK(fixture.holds(kept));
  CHECK(get(fixture.store(), "k60") == kept);
  CHECK(scan(fixture.store(), "", "").size() == 198);
  fixture.reopen();
  CHECK_FALSE(fixture.holds(removed));
  CHECK(scan(fixture.store(), "", "").size() == 198);
}

KV_TEST("compacting again and again, with nothing to do and while others write") {
  Fixture fixture;
  KvStore& store = fixture.store();
  SeededRandom random(4);
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::thread writer([&] {
    SeededRandom values(5);
    for (int i = 0; !stop; ++i) {
      WriteBatch batch;
      batch.put("w" + std::to_string(i % 500), values.bytes(200));
      if (!store.write(batch, Sync::no).ok()) ++failures;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const Bytes secret = random.bytes(48);
    put(store, "secret", secret);
    CHECK(store.compact("secret", "secreu").ok());
    CHECK(fixture.holds(secret));
    remove(store, "secret");
    CHECK(store.compact("secret", "secreu").ok());
    CHECK_FALSE(fixture.holds(secret));
  }
  stop = true;
  writer.join();
  CHECK(failures == 0);
  CHECK(store.compact("b", "a").ok());
  CHECK(store.compact("", "").ok());
  CHECK(store.compact("", "").ok());
}

KV_TEST("after a write error it refuses writes, still reads, and opens anew with all it promised") {
  Fixture fixture;
  SeededRandom random(6);
  std::map<Bytes, Bytes> promised;
  for (int i = 0; i < 20; ++i) {
    promised["k" + std::to_string(i)] = random.bytes(1000);
    put(fixture.store(), "k" + std::to_string(i), promised["k" + std::to_string(i)], Sync::yes);
  }
  fixture.fill_disk();
  Status status;
  for (int i = 0; status.ok() && i < 64; ++i) {
    WriteBatch batch;
    const Bytes key = "big" + std::to_string(i);
    const Bytes value = random.bytes(256 * 1024);
    batch.put(key, value);
    status = fixture.store().write(batch, Sync::yes);
    if (status.ok()) promised[key] = value;
  }
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::disk_full);
  WriteBatch batch;
  batch.put("later", "x");
  const Status refused = fixture.store().write(batch, Sync::no);
  REQUIRE_FALSE(refused.ok());
  CHECK_FALSE(refused.error().retryable());
  CHECK_FALSE(refused.error().hint.empty());
  fixture.empty_disk();
  CHECK_FALSE(fixture.store().write(batch, Sync::no).ok());
  CHECK_FALSE(fixture.store().compact("", "").ok());
  for (const auto& [key, value] : promised) CHECK(get(fixture.store(), key) == value);

  fixture.reopen();
  for (const auto& [key, value] : promised) CHECK(get(fixture.store(), key) == value);
  CHECK(get(fixture.store(), "later") == std::nullopt);
  put(fixture.store(), "later", "x", Sync::yes);
  CHECK(get(fixture.store(), "later") == "x");
}
