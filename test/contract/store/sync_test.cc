// SPDX-License-Identifier: Apache-2.0
// Durable means handed to the disk, and a disk that fails to take it is never trusted again.
#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>

#include "base/random.h"
#include "disk.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"
#include "sync_watch.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

using Which = FailingSyncs::Which;

template <typename T>
T require_value(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? std::string() : result.error().text()));
  return std::move(result).value();
}

WriteBatch batch_of(Bytes key, Bytes value) {
  WriteBatch batch;
  batch.put(std::move(key), std::move(value));
  return batch;
}

WrappedKey key_of(char id) {
  WrappedKey key;
  key.id = DataKeyId::derived(Bytes(16, id));
  key.wrapped = "wrapped";
  return key;
}

Status wait_for(const std::function<void(KeyStore::Done)>& call) {
  std::promise<Status> promise;
  auto answer = promise.get_future();
  call([&promise](Status status) { promise.set_value(std::move(status)); });
  return answer.get();
}

Status put(KeyStore& store, const WrappedKey& key) {
  return wait_for([&](KeyStore::Done done) { store.put(key, std::move(done)); });
}

Status destroy(KeyStore& store, const WrappedKey& key) {
  return wait_for([&](KeyStore::Done done) { store.destroy(key.id, std::move(done)); });
}

}  // namespace

TEST_CASE("sync: a kv store syncs when asked to, also with nothing new to write") {
  const TemporaryDirectory dir;
  const auto store = require_value(open_rocksdb_kv_store(dir.path));
  const int start = data_sync_count();
  REQUIRE(store->write(batch_of("a", "1"), KvStore::Sync::no).ok());
  CHECK(data_sync_count() == start);
  REQUIRE(store->write(batch_of("b", "2"), KvStore::Sync::yes).ok());
  CHECK(data_sync_count() > start);
  REQUIRE(store->write(batch_of("c", "3"), KvStore::Sync::no).ok());
  const int before = data_sync_count();
  REQUIRE(store->write(WriteBatch(), KvStore::Sync::yes).ok());
  CHECK(data_sync_count() > before);
}

TEST_CASE("sync: a kv store stops at the first failed sync") {
  const TemporaryDirectory dir;
  auto store = require_value(open_rocksdb_kv_store(dir.path));
  REQUIRE(store->write(batch_of("a", "1"), KvStore::Sync::yes).ok());
  {
    const FailingSyncs failing(Which::data);
    CHECK_FALSE(store->write(batch_of("b", "2"), KvStore::Sync::yes).ok());
  }
  const Status refused = store->write(batch_of("c", "3"), KvStore::Sync::yes);
  REQUIRE_FALSE(refused.ok());
  CHECK_FALSE(refused.error().retryable());
  CHECK(**store->get("a") == "1");
  store.reset();
  store = require_value(open_rocksdb_kv_store(dir.path));
  CHECK(**store->get("a") == "1");
  CHECK(*store->get("c") == std::nullopt);
  CHECK(store->write(batch_of("c", "3"), KvStore::Sync::yes).ok());
}

TEST_CASE("sync: a key store syncs before it answers, and stops at the first failed sync") {
  const TemporaryDirectory dir;
  auto store = require_value(open_rocksdb_key_store(dir.path));
  int before = data_sync_count();
  REQUIRE(put(*store, key_of('a')).ok());
  CHECK(data_sync_count() > before);
  before = data_sync_count();
  REQUIRE(destroy(*store, key_of('a')).ok());
  CHECK(data_sync_count() > before);
  REQUIRE(put(*store, key_of('b')).ok());
  {
    const FailingSyncs failing(Which::data);
    CHECK_FALSE(put(*store, key_of('c')).ok());
  }
  CHECK_FALSE(put(*store, key_of('d')).ok());
  CHECK_FALSE(destroy(*store, key_of('b')).ok());
  store.reset();
  store = require_value(open_rocksdb_key_store(dir.path));
  CHECK(store->get(key_of('b').id).ok());
  CHECK(store->get(key_of('d').id).error().code == ErrorCode::not_found);
  CHECK(put(*store, key_of('d')).ok());
}

TEST_CASE("sync: an object directory syncs the file and its name, and the name's removal") {
  const TemporaryDirectory dir;
  const auto store = require_value(open_directory_object_store(dir.path));
  int data = data_sync_count();
  int full = full_sync_count();
  REQUIRE(store->put("a", "1").ok());
  CHECK(data_sync_count() > data);
  CHECK(full_sync_count() > full);
  full = full_sync_count();
  REQUIRE(store->put("a", "1").ok());  // its first writer may not have come so far
  CHECK(full_sync_count() > full);
  full = full_sync_count();
  REQUIRE(store->remove("a").ok());
  CHECK(full_sync_count() > full);
  full = full_sync_count();
  REQUIRE(store->remove("a").ok());
  CHECK(full_sync_count() > full);
}

TEST_CASE("sync: an object whose content was not synced is not there, and can be put again") {
  const TemporaryDirectory dir;
  const auto store = require_value(open_directory_object_store(dir.path));
  {
    const FailingSyncs failing(Which::data);
    CHECK_FALSE(store->put("a", "1").ok());
  }
  CHECK(store->get("a").error().code == ErrorCode::not_found);
  CHECK(files_below(dir.path).empty());
  CHECK(store->put("a", "1").ok());
}

TEST_CASE("sync: an object directory that failed to sync a name writes no more") {
  const TemporaryDirectory dir;
  auto store = require_value(open_directory_object_store(dir.path));
  {
    const FailingSyncs failing(Which::full);
    CHECK_FALSE(store->put("a", "1").ok());
  }
  CHECK_FALSE(store->put("a", "1").ok());
  CHECK_FALSE(store->put("b", "1").ok());
  CHECK_FALSE(store->remove("a").ok());
  store = require_value(open_directory_object_store(dir.path));
  CHECK(store->put("a", "1").ok());
  {
    const FailingSyncs failing(Which::full);
    CHECK_FALSE(open_directory_object_store(dir.path).ok());
    CHECK_FALSE(open_directory_object_store(dir.path + "/new").ok());
  }
}
