// SPDX-License-Identifier: Apache-2.0
// Stores that are read beside the process that writes them, and taking keys from one to another.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "base/random.h"
#include "disk.h"
#include "store/key_copy.h"
#include "store/memory_key_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr int kRows = 400;
constexpr std::size_t kValueBytes = 4096;  // so that the writer flushes and compacts meanwhile

Bytes row(int number) {
  Bytes key;
  put_be32(key, static_cast<std::uint32_t>(number));
  return key;
}

// Gives every row the value of `round` in one batch.
void write_round(KvStore& store, int round) {
  WriteBatch batch;
  const Bytes value = std::to_string(round) + Bytes(kValueBytes, '.');
  for (int i = 0; i < kRows; ++i) batch.put(row(i), value);
  REQUIRE(store.write(batch, KvStore::Sync::no).ok());
}

// The round that all rows are of; -1 if they are of several.
int round_of(const KvStore& store) {
  int rows = 0;
  int round = 0;
  bool same = true;
  const Status scanned = store.scan({}, {}, [&](BytesView, BytesView value) {
    const int its = std::stoi(std::string(value.substr(0, value.find('.'))));
    same = same && (rows == 0 || its == round);
    round = its;
    ++rows;
    return true;
  });
  if (!scanned.ok()) FAIL(scanned.error().text());
  return same && rows == kRows ? round : -1;
}

WrappedKey key_of(int number) {
  SeededRandom random(static_cast<std::uint64_t>(number) + 1);
  WrappedKey key;
  key.id = DataKeyId::derived(random.bytes(16));
  key.org = OrgId::derived(random.bytes(16));
  key.created = {1000 + number};
  key.wrapped = random.bytes(48);
  return key;
}

void put_key(KeyStore& store, const WrappedKey& key) {
  std::promise<Status> answer;
  store.put(key, [&](Status status) { answer.set_value(std::move(status)); });
  REQUIRE(answer.get_future().get().ok());
}

}  // namespace

TEST_CASE("a store is read as one state while another writes it, and nothing in it changes") {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const std::string path = directory.path + "/store";
  CHECK(open_rocksdb_kv_store_read_only(path, scratch.path).error().code == ErrorCode::not_found);
  auto store = open_rocksdb_kv_store(path);
  REQUIRE(store.ok());
  write_round(**store, 0);
  std::atomic<bool> end{false};
  std::thread writer([&] {
    for (int round = 1; !end; ++round) write_round(**store, round);
  });
  int before = 0;
  for (int i = 0; i < 20; ++i) {
    const auto reading = open_rocksdb_kv_store_read_only(path, scratch.path);
    if (!reading.ok()) FAIL_CHECK(reading.error().text());
    if (!reading.ok()) break;
    const int round = round_of(**reading);
    CHECK(round >= before);
    CHECK(round_of(**reading) == round);  // what comes later is not seen
    before = round;
    WriteBatch batch;
    batch.put("x", "y");
    CHECK(!(*reading)->write(batch, KvStore::Sync::no).ok());
  }
  end = true;
  writer.join();
  CHECK(std::filesystem::is_empty(scratch.path));
}

TEST_CASE("keys are read beside the process that has them, and taken to another store") {
  const TemporaryDirectory directory;
  const std::string path = directory.path + "/keys";
  auto keys = open_rocksdb_key_store(path);
  REQUIRE(keys.ok());
  for (int i = 0; i < 1000; ++i) put_key(**keys, key_of(i));
  const auto reading = open_rocksdb_key_store_read_only(path, directory.path);
  REQUIRE(reading.ok());
  MemoryKeyStore other;
  const auto copied =
      copy_keys(**reading, other, [](const WrappedKey& key) { return key.id != key_of(7).id; });
  REQUIRE(copied.ok());
  CHECK(*copied == 999);
  CHECK(other.get(key_of(7).id).error().code == ErrorCode::not_found);
  CHECK((*other.get(key_of(8).id) == key_of(8)));
  CHECK(copy_keys(**reading, other, nullptr).ok());  // repeats do no harm
  CHECK((*other.get(key_of(7).id) == key_of(7)));
  WrappedKey twisted = key_of(8);
  twisted.wrapped = "another";
  MemoryKeyStore taken;
  put_key(taken, twisted);
  CHECK(copy_keys(**reading, taken, nullptr).error().code == ErrorCode::conflict);
}
