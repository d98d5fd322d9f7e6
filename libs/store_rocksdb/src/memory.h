// SPDX-License-Identifier: Apache-2.0
// What RocksDbMemory hides. Private to this library.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/write_buffer_manager.h>

#include <memory>

#include "store_rocksdb/memory.h"

namespace sandtrail::rocks {

class SharedMemory final : public RocksDbMemory {
 public:
  SharedMemory(std::size_t block_cache_bytes, std::size_t write_buffer_bytes)
      : cache(rocksdb::NewLRUCache(block_cache_bytes)),
        write_buffers(std::make_shared<rocksdb::WriteBufferManager>(write_buffer_bytes)) {}

  const std::shared_ptr<rocksdb::Cache> cache;
  const std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

}  // namespace sandtrail::rocks
