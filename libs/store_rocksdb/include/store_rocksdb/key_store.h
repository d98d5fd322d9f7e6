// SPDX-License-Identifier: Apache-2.0
// The KeyStore port over an embedded RocksDB of its own, which holds nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/key_store.h"
#include "store_rocksdb/memory.h"

namespace sandtrail {

struct RocksDbKeyOptions {
  std::shared_ptr<RocksDbMemory> memory;  // null: a small one of its own
  // With less free space on the disk puts and destroys are disk_full. Nothing was written then, so
  // they go on by themselves when there is room, unlike after a write error.
  std::uint64_t free_bytes_min = 0;
};

// Opens or creates the store in directory `path` (created with mode 0700). Destruction answers
// everything that waits, so callbacks must stay valid until then.
//   conflict  it is open already, here or in another process
//   corrupt   its files are damaged: restore the directory from its backup
Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store(const std::string& path,
                                                         const RocksDbKeyOptions& options = {});

// The same as it is now, for reading only; see open_rocksdb_kv_store_read_only().
Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store_read_only(const std::string& path,
                                                                   const std::string& scratch);

}  // namespace sandtrail
