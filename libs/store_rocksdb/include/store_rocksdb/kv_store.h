// SPDX-License-Identifier: Apache-2.0
// The KvStore port over an embedded RocksDB.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/kv_store.h"
#include "store_rocksdb/memory.h"

namespace sandtrail {

struct RocksDbKvOptions {
  std::shared_ptr<RocksDbMemory> memory;  // null: a small one of its own
};

// Opens or creates the store in directory `path` (created with mode 0700). Closing is destruction.
//   conflict  it is open already, here or in another process
//   corrupt   its files are damaged: delete the directory, the store is rebuilt from the log
Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store(const std::string& path,
                                                       const RocksDbKvOptions& options = {});

// The store in `path` as it is now, also while another process has it open: later writes are not
// seen, and writes are refused. Changes nothing there. RocksDB keeps small files of its own in a
// directory below `scratch`, which are removed with the store. not_found if there is no store.
Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store_read_only(const std::string& path,
                                                                 const std::string& scratch);

}  // namespace sandtrail
