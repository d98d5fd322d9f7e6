// SPDX-License-Identifier: Apache-2.0
// Writes to a store until it is killed, and says on standard output what was acknowledged.
//
//   contract_store_writer KIND PATH FIRST
//
// KIND is kv (without sync), kv_sync, keys, destroy or objects. Item i, counted from FIRST, is put
// (or, with destroy, put and destroyed) under a name and with a content made of i; once that is
// acknowledged, "i\n" is printed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "crash_items.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

void require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.error().text().c_str());
  std::exit(1);
}

template <typename T>
T require_value(Result<T> result) {
  if (!result.ok()) require(result.error());
  return std::move(result).value();
}

void acknowledge(int i) {
  const std::string line = std::to_string(i) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(1);
}

[[noreturn]] void write_kv(const std::string& path, int first, KvStore::Sync sync) {
  const auto store = require_value(open_rocksdb_kv_store(path));
  for (int i = first;; ++i) {
    WriteBatch batch;
    batch.put("1/" + item_name(i), item_content(i));
    batch.put("2/" + item_name(i), item_content(i));
    require(store->write(batch, sync));
    acknowledge(i);
  }
}

[[noreturn]] void write_keys(const std::string& path, int first, bool destroy) {
  const auto store = require_value(open_rocksdb_key_store(path));
  for (int i = first;; ++i) {
    std::promise<Status> put;
    store->put(item_key(i), [&put](Status status) { put.set_value(std::move(status)); });
    require(put.get_future().get());
    if (destroy) {
      std::promise<Status> destroyed;
      store->destroy(item_key(i).id,
                     [&destroyed](Status status) { destroyed.set_value(std::move(status)); });
      require(destroyed.get_future().get());
    }
    acknowledge(i);
  }
}

[[noreturn]] void write_objects(const std::string& path, int first) {
  const auto store = require_value(open_directory_object_store(path));
  for (int i = first;; ++i) {
    require(store->put(item_name(i), item_content(i)));
    acknowledge(i);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const std::string kind = arguments[1];
  const std::string path = arguments[2];
  const int first = std::atoi(arguments[3]);
  if (kind == "kv") write_kv(path, first, KvStore::Sync::no);
  if (kind == "kv_sync") write_kv(path, first, KvStore::Sync::yes);
  if (kind == "keys") write_keys(path, first, false);
  if (kind == "destroy") write_keys(path, first, true);
  if (kind == "objects") write_objects(path, first);
  return 2;
}
