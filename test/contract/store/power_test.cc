// SPDX-License-Identifier: Apache-2.0
// The machine loses power at any call of a store on its disk: what was written with sync, or
// answered, is there; of the rest a prefix; nothing destroyed comes back.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>

#include "../event_log/fault_env.h"
#include "crash_items.h"
#include "disk.h"
#include "store_rocksdb/on_env.h"

using namespace sandtrail;
using namespace sandtrail::test;
using contract::FaultEnv;
using Rest = contract::UnsyncedDisk::Rest;

namespace {

constexpr int kBatches = 60;
constexpr int kKeys = 12;

bool is_torture() {
  const char* value = std::getenv("SANDTRAIL_TORTURE");
  return value != nullptr && std::string(value) == "1";
}

// A fold: batch i replaces some rows and says that it was the last one.
WriteBatch batch_of(int i) {
  SeededRandom random(static_cast<std::uint64_t>(i));
  WriteBatch batch;
  for (int n = 0; n < 3; ++n) {
    const std::string key = "row" + std::to_string(random.below(kKeys));
    if (random.below(4) == 0) {
      batch.remove(key);
    } else {
      // Now and then large, so that buffers are flushed and the write-ahead log is replaced.
      batch.put(key, random.bytes(i % 6 == 0 ? 600'000 : 100));
    }
  }
  batch.put("position", std::to_string(i));
  return batch;
}

std::map<Bytes, Bytes> fold_until(int last) {
  std::map<Bytes, Bytes> rows;
  for (int i = 0; i <= last; ++i) {
    const WriteBatch batch = batch_of(i);
    for (const auto& [key, value] : batch.writes()) {
      if (value) rows[key] = *value;
      if (!value) rows.erase(key);
    }
  }
  return rows;
}

struct Written {
  int tried = -1;   // the last batch that was begun
  int synced = -1;  // the last one that was durable for sure
};

// Opens, writes, compacts and closes, until the disk fails.
void live(FaultEnv& faults, const std::string& path, Written& written) {
  std::unique_ptr<KvStore> store;
  for (int i = 0; i < kBatches; ++i) {
    if (i % 20 == 0) {
      store.reset();
      auto opened = open_rocksdb_kv_store_on_env(path, {}, faults.env());
      if (!opened.ok()) return;
      store = std::move(*opened);
    }
    const bool sync = i % 5 == 4;
    written.tried = i;
    if (!store->write(batch_of(i), sync ? KvStore::Sync::yes : KvStore::Sync::no).ok()) return;
    if (sync) written.synced = i;
    if (i == 33 && !store->compact("", "").ok()) return;
  }
}

// The store is the fold of its own position, which is within what was written.
void check_prefix(const std::string& path, const Written& written) {
  const auto store = open_rocksdb_kv_store(path);
  REQUIRE_MESSAGE(store.ok(), (store.ok() ? std::string() : store.error().text()));
  const auto position = (*store)->get("position");
  REQUIRE(position.ok());
  const int last = *position ? std::stoi(**position) : -1;
  REQUIRE(last >= written.synced);
  REQUIRE(last <= written.tried);
  std::map<Bytes, Bytes> rows;
  REQUIRE((*store)
              ->scan("", "",
                     [&](BytesView key, BytesView value) {
                       rows[Bytes(key)] = Bytes(value);
                       return true;
                     })
              .ok());
  REQUIRE((rows == fold_until(last)));
}

template <typename Live>
int changes_of(const Live& run) {
  const TemporaryDirectory dir;
  FaultEnv faults;
  faults.watch(dir.path + "/store");
  run(faults, dir.path + "/store");
  return faults.changes();
}

int step_of(int calls) {
  return is_torture() ? 1 : std::max(1, calls / 10);
}

Status wait_for(const std::function<void(KeyStore::Done)>& call) {
  std::promise<Status> promise;
  auto answer = promise.get_future();
  call([&promise](Status status) { promise.set_value(std::move(status)); });
  return answer.get();
}

struct Keys {
  int put = -1;        // the last one that was answered
  int destroyed = -1;  // likewise
};

void live_with_keys(FaultEnv& faults, const std::string& path, Keys& keys) {
  for (int i = 0; i < 8;) {
    const auto store = open_rocksdb_key_store_on_env(path, {}, faults.env());
    if (!store.ok()) return;
    for (const int end = i + 4; i < end; ++i) {
      const auto put = [&](auto done) { (*store)->put(item_key(i), std::move(done)); };
      if (!wait_for(put).ok()) return;
      keys.put = i;
      if (i % 2 == 0) continue;
      // The one before stays, this one goes.
      const auto destroy = [&](auto done) { (*store)->destroy(item_key(i).id, std::move(done)); };
      if (!wait_for(destroy).ok()) return;
      keys.destroyed = i;
    }
  }
}

}  // namespace

TEST_CASE("power: a kv store holds a prefix of its batches, with all that were synced") {
  const int calls = changes_of([](FaultEnv& faults, const std::string& path) {
    Written written;
    live(faults, path, written);
    REQUIRE(written.synced == kBatches - 1);
  });
  REQUIRE(calls > 100);
  int cuts = 0;
  for (int at = 0; at < calls; at += step_of(calls)) {
    CAPTURE(at);
    const TemporaryDirectory dir;
    SeededRandom random(static_cast<std::uint64_t>(at));
    FaultEnv faults;
    faults.watch(dir.path + "/store");
    faults.strike(FaultEnv::Fault::power, at);
    Written written;
    live(faults, dir.path + "/store", written);
    for (const Rest rest : {Rest::gone, Rest::torn}) {
      const std::string after = dir.path + "/after" + std::to_string(static_cast<int>(rest));
      faults.copy_survivors(after, rest, random);
      check_prefix(after, written);
      ++cuts;
    }
  }
  MESSAGE("power failures of a kv store: " << cuts << " at " << calls << " points, lost 0");
}

TEST_CASE("power: a key store keeps what was answered, and no file holds what was destroyed") {
  const int calls = changes_of([](FaultEnv& faults, const std::string& path) {
    Keys keys;
    live_with_keys(faults, path, keys);
    REQUIRE(keys.destroyed == 7);
  });
  int cuts = 0;
  for (int at = 0; at < calls; at += step_of(calls)) {
    CAPTURE(at);
    const TemporaryDirectory dir;
    SeededRandom random(static_cast<std::uint64_t>(at));
    FaultEnv faults;
    faults.watch(dir.path + "/store");
    faults.strike(FaultEnv::Fault::power, at);
    Keys keys;
    live_with_keys(faults, dir.path + "/store", keys);
    for (const Rest rest : {Rest::gone, Rest::torn}) {
      const std::string after = dir.path + "/after" + std::to_string(static_cast<int>(rest));
      faults.copy_survivors(after, rest, random);
      ++cuts;
      for (int i = 1; i <= keys.destroyed; i += 2) {
        REQUIRE_FALSE(directory_holds(after, item_key(i).wrapped));
      }
      const auto store = open_rocksdb_key_store(after);
      REQUIRE_MESSAGE(store.ok(), (store.ok() ? std::string() : store.error().text()));
      for (int i = 0; i <= keys.put; ++i) {
        const auto found = (*store)->get(item_key(i).id);
        if (i % 2 == 0) REQUIRE(*found == item_key(i));
        if (i % 2 == 1 && i <= keys.destroyed) {
          REQUIRE(found.error().code == ErrorCode::not_found);
        }
      }
    }
  }
  MESSAGE("power failures of a key store: " << cuts << " at " << calls << " points, lost 0");
}
