// SPDX-License-Identifier: Apache-2.0
// The key stores of one machine, for the suite.
#pragma once

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>

#include "disk.h"
#include "store/memory_key_store.h"
#include "store_rocksdb/key_store.h"

namespace sandtrail::test {

struct MemoryKeys {
  MemoryKeyStore twin;
  KeyStore& store() { return twin; }
  void reopen() { twin.crash(); }
  bool holds(BytesView needle) {
    bool found = false;
    (void)twin.list([&](const WrappedKey& key) {
      found = found || key.wrapped == needle;
      return true;
    });
    return found;
  }
  void stall() { twin.hold(); }
  void resume() { twin.release(); }
  void fill_disk() { twin.fail(Error{ErrorCode::disk_full, "full", ""}); }
  void empty_disk() {}
};

struct RocksDbKeys {
  SmallDisk disk{128u << 20};
  std::promise<void> resumed;
  std::unique_ptr<KeyStore> adapter;  // last: its threads use what stands above

  RocksDbKeys() { open(); }
  void open() {
    auto opened = open_rocksdb_key_store(disk.path() + "/keys");
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
    adapter = std::move(*opened);
  }
  KeyStore& store() { return *adapter; }
  void reopen() {
    adapter.reset();
    open();
  }
  bool holds(BytesView needle) { return directory_holds(disk.path(), needle); }
  // Whoever answers slowly holds up the thread that answers.
  void stall() {
    std::promise<void> stalled;
    WrappedKey key;
    key.id = DataKeyId::derived(Bytes(16, 's'));
    key.wrapped = "stalls";
    adapter->put(key, [this, &stalled](Status) {
      stalled.set_value();
      resumed.get_future().wait();
    });
    stalled.get_future().wait();
  }
  void resume() { resumed.set_value(); }
  void fill_disk() { disk.fill(); }
  void empty_disk() { disk.empty(); }
};

}  // namespace sandtrail::test

#define KEY_FIXTURES sandtrail::test::MemoryKeys, sandtrail::test::RocksDbKeys
#define KEY_FIXTURES_WITH_DISK
