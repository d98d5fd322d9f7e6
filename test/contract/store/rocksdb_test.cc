// SPDX-License-Identifier: Apache-2.0
// What only the RocksDB adapters can show: damage to their files, and a store that is in use.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "disk.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr int kRecords = 100;

std::unique_ptr<KvStore> open_kv(const std::string& path) {
  auto opened = open_rocksdb_kv_store(path);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
  return std::move(*opened);
}

std::string number(int i) {
  return std::to_string(10'000 + i);
}

// A store whose records are all in its write-ahead log; returns the log's file.
std::string write_records(const std::string& path) {
  auto store = open_kv(path);
  SeededRandom random(1);
  for (int i = 0; i < kRecords; ++i) {
    WriteBatch batch;
    batch.put(number(i), random.bytes(100));
    REQUIRE(store->write(batch, KvStore::Sync::yes).ok());
  }
  store.reset();
  std::string largest;
  for (const std::string& file : files_below(path)) {
    if (!file.ends_with(".log")) continue;
    if (largest.empty() || content_of(file).size() > content_of(largest).size()) largest = file;
  }
  REQUIRE(content_of(largest).size() > kRecords * 100);
  return largest;
}

// How many records there are; they must be the first ones.
int count_prefix(const KvStore& store) {
  int count = 0;
  REQUIRE(store
              .scan("", "",
                    [&count](BytesView key, BytesView) {
                      CHECK(key == number(count));
                      ++count;
                      return true;
                    })
              .ok());
  return count;
}

}  // namespace

TEST_CASE("rocksdb: a store in use is a conflict that says what to do") {
  const TemporaryDirectory dir;
  const auto kv = open_kv(dir.path + "/kv");
  const auto again = open_rocksdb_kv_store(dir.path + "/kv");
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ErrorCode::conflict);
  CHECK(again.error().message.find(dir.path + "/kv") != std::string::npos);
  CHECK(again.error().hint.find("process") != std::string::npos);

  const auto keys = open_rocksdb_key_store(dir.path + "/keys");
  REQUIRE(keys.ok());
  CHECK(open_rocksdb_key_store(dir.path + "/keys").error().code == ErrorCode::conflict);
}

TEST_CASE("rocksdb: directories are private, and paths that cannot be are errors") {
  const TemporaryDirectory dir;
  const auto kv = open_kv(dir.path + "/a/kv");
  CHECK(mode_of(dir.path + "/a") == 0700);
  CHECK(mode_of(dir.path + "/a/kv") == 0700);
  overwrite(dir.path + "/file", "x");
  CHECK_FALSE(open_rocksdb_kv_store(dir.path + "/file").ok());
  CHECK_FALSE(open_rocksdb_key_store(dir.path + "/file/keys").ok());
}

TEST_CASE("rocksdb: a write-ahead log cut anywhere opens with the records before the cut") {
  const TemporaryDirectory dir;
  const std::string log = write_records(dir.path + "/kv");
  const Bytes whole = content_of(log);
  const std::string name = log.substr(dir.path.size() + 3);
  SeededRandom random(2);
  int last_count = 0;
  std::vector<std::size_t> cuts = {0, 1, whole.size() - 1};
  for (int i = 0; i < 12; ++i) cuts.push_back(random.below(whole.size()));
  std::sort(cuts.begin(), cuts.end());
  for (const std::size_t cut : cuts) {
    CAPTURE(cut);
    const std::string copy = dir.path + "/copy" + std::to_string(cut);
    std::filesystem::copy(dir.path + "/kv", copy);
    overwrite(copy + name, BytesView(whole).substr(0, cut));
    const auto store = open_kv(copy);
    const int count = count_prefix(*store);
    CHECK(count >= last_count);
    CHECK(count < kRecords);
    // A record takes more than 100 bytes and less than 200.
    CHECK(count <= static_cast<int>(cut / 100));
    CHECK(count >= static_cast<int>(cut / 200) - 1);
    last_count = count;
  }
}

TEST_CASE("rocksdb: a damaged byte in a write-ahead log is refused, never half a store") {
  const TemporaryDirectory dir;
  const std::string log = write_records(dir.path + "/kv");
  const Bytes whole = content_of(log);
  const std::string name = log.substr(dir.path.size() + 3);
  SeededRandom random(3);
  int refused = 0;
  for (int i = 0; i < 12; ++i) {
    // Not in the last record: there it looks like a torn write.
    const std::size_t place = random.below(whole.size() - 200);
    CAPTURE(place);
    const std::string copy = dir.path + "/copy" + std::to_string(i);
    std::filesystem::copy(dir.path + "/kv", copy);
    Bytes damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    overwrite(copy + name, damaged);
    const auto opened = open_rocksdb_kv_store(copy);
    if (opened.ok()) {
      // Only a length that now points beyond the file can be taken for a torn end.
      CHECK(count_prefix(**opened) < kRecords);
      continue;
    }
    ++refused;
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK_FALSE(opened.error().hint.empty());
  }
  CHECK(refused >= 10);
}

TEST_CASE("rocksdb: a damaged table is an error of the read, not another value") {
  const TemporaryDirectory dir;
  write_records(dir.path + "/kv");
  REQUIRE(open_kv(dir.path + "/kv")->compact("", "").ok());
  for (const std::string& file : files_below(dir.path)) {
    if (!file.ends_with(".sst")) continue;
    Bytes content = content_of(file);
    content[500] = static_cast<char>(content[500] ^ 1);
    overwrite(file, content);
  }
  const auto store = open_kv(dir.path + "/kv");
  CHECK(store->get(number(1)).error().code == ErrorCode::corrupt);
  CHECK(store->scan("", "", [](BytesView, BytesView) { return true; }).error().code ==
        ErrorCode::corrupt);
}

TEST_CASE("rocksdb: compacting waits for a scan that still holds the old files") {
  const TemporaryDirectory dir;
  const auto store = open_kv(dir.path);
  SeededRandom random(7);
  const Bytes secret = random.bytes(64);
  WriteBatch batch;
  batch.put("a", secret);
  batch.put("b", "kept");
  REQUIRE(store->write(batch, KvStore::Sync::yes).ok());
  REQUIRE(store->compact("", "").ok());
  batch.clear();
  batch.remove("a");

  std::promise<void> promise;
  const std::future<void> returned = promise.get_future();
  std::thread compactor;
  bool seen_secret = false;
  REQUIRE(store
              ->scan("", "",
                     [&](BytesView key, BytesView value) {
                       if (key != "a") return true;
                       seen_secret = value == secret;
                       CHECK(store->write(batch, KvStore::Sync::yes).ok());
                       compactor = std::thread([&] {
                         CHECK(store->compact("", "").ok());
                         CHECK_FALSE(directory_holds(dir.path, secret));
                         promise.set_value();
                       });
                       // Long enough for a compaction that does not wait to return.
                       CHECK(returned.wait_for(std::chrono::milliseconds(100)) ==
                             std::future_status::timeout);
                       return true;
                     })
              .ok());
  REQUIRE(compactor.joinable());
  compactor.join();
  CHECK(seen_secret);
  CHECK(*store->get("b") == Bytes("kept"));
}

TEST_CASE("rocksdb: stores that share their memory keep their contents apart") {
  const TemporaryDirectory dir;
  const auto memory = RocksDbMemory::create(1u << 20, 1u << 20);
  std::vector<std::unique_ptr<KvStore>> stores;
  SeededRandom random(4);
  for (int s = 0; s < 3; ++s) {
    auto opened = open_rocksdb_kv_store(dir.path + "/" + std::to_string(s), {memory});
    REQUIRE(opened.ok());
    stores.push_back(std::move(*opened));
  }
  for (int i = 0; i < 300; ++i) {  // more than the buffers hold
    WriteBatch batch;
    batch.put(number(i), std::to_string(i % 3) + random.bytes(10'000));
    REQUIRE(stores[static_cast<std::size_t>(i % 3)]->write(batch, KvStore::Sync::no).ok());
  }
  for (std::size_t s = 0; s < 3; ++s) {
    int count = 0;
    REQUIRE(stores[s]
                ->scan("", "",
                       [&](BytesView, BytesView value) {
                         CHECK(value[0] == static_cast<char>('0' + s));
                         ++count;
                         return true;
                       })
                .ok());
    CHECK(count == 100);
  }
  auto keys = open_rocksdb_key_store(dir.path + "/keys", {memory});
  CHECK(keys.ok());
}

TEST_CASE("rocksdb: closing the key store answers everything that waits") {
  const TemporaryDirectory dir;
  SeededRandom random(5);
  std::vector<std::future<Status>> answers;
  {
    auto keys = open_rocksdb_key_store(dir.path + "/keys");
    REQUIRE(keys.ok());
    for (int i = 0; i < 200; ++i) {
      WrappedKey key;
      key.id = DataKeyId::derived(random.bytes(16));
      key.wrapped = random.bytes(60);
      for (const bool destroy : {false, true}) {
        auto promise = std::make_shared<std::promise<Status>>();
        answers.push_back(promise->get_future());
        const auto done = [promise](Status status) { promise->set_value(std::move(status)); };
        if (destroy) {
          (*keys)->destroy(key.id, done);
        } else {
          (*keys)->put(key, done);
        }
      }
    }
  }
  for (auto& answer : answers) {
    REQUIRE(answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
    CHECK(answer.get().ok());
  }
}

TEST_CASE("rocksdb: a damaged key is corrupt for get and list, and can still be destroyed") {
  const TemporaryDirectory dir;
  const Bytes id(16, 'i');
  {
    // Another format than the key store's own.
    auto store = open_kv(dir.path + "/keys");
    WriteBatch batch;
    batch.put(id, "too short");
    REQUIRE(store->write(batch, KvStore::Sync::yes).ok());
  }
  auto keys = open_rocksdb_key_store(dir.path + "/keys");
  REQUIRE(keys.ok());
  CHECK((*keys)->get(DataKeyId::derived(id)).error().code == ErrorCode::corrupt);
  CHECK((*keys)->list([](const WrappedKey&) { return true; }).error().code == ErrorCode::corrupt);
  std::promise<Status> promise;
  auto destroyed = promise.get_future();
  (*keys)->destroy(DataKeyId::derived(id), [&](Status status) { promise.set_value(status); });
  CHECK(destroyed.get().ok());
  CHECK((*keys)->get(DataKeyId::derived(id)).error().code == ErrorCode::not_found);
}

TEST_CASE("rocksdb: a key store that minds its disk goes on when there is room again") {
  SmallDisk disk(128u << 20);
  RocksDbKeyOptions options;
  options.free_bytes_min = 8u << 20;
  auto opened = open_rocksdb_key_store(disk.path() + "/keys", options);
  REQUIRE(opened.ok());
  KeyStore& keys = **opened;
  SeededRandom random(6);
  const auto answer = [](auto&& ask) {
    std::promise<Status> promise;
    auto status = promise.get_future();
    ask([&promise](Status told) { promise.set_value(std::move(told)); });
    return status.get();
  };
  const auto put = [&] {
    WrappedKey key;
    key.id = DataKeyId::derived(random.bytes(16));
    key.wrapped = random.bytes(60);
    return std::pair(key.id, answer([&](KeyStore::Done done) { keys.put(key, std::move(done)); }));
  };
  const auto [first, status] = put();
  REQUIRE(status.ok());
  const auto destroy_first = [&, id = first] {
    return answer([&](KeyStore::Done done) { keys.destroy(id, std::move(done)); });
  };
  disk.fill();
  for (int i = 0; i < 3; ++i) {
    CHECK(put().second.error().code == ErrorCode::disk_full);
    CHECK(destroy_first().error().code == ErrorCode::disk_full);
  }
  CHECK(keys.get(first).ok());
  disk.empty();
  CHECK(put().second.ok());
  CHECK(destroy_first().ok());
  CHECK(keys.get(first).error().code == ErrorCode::not_found);
}
