// SPDX-License-Identifier: Apache-2.0
// The KeyStore port over an embedded RocksDB of its own, which holds nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/key_store.h"
#include "store_rocksdb/memory.h"

namespace sandtrail {

struct RocksDbKeyOptions {
  std::shared_ptr<RocksDbMemory> memory;  // null: a small one of its own
};

// Opens or creates the store in directory `path` (created with mode 0700). Destruction answers
// everything that waits, so callbacks must stay valid until then.
//   conflict  it is open already, here or in another process
//   corrupt   its files are damaged: restore the directory from its backup
Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store(const std::string& path,
                                                         const RocksDbKeyOptions& options = {});

}  // namespace sandtrail
