// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

namespace sandtrail {

std::shared_ptr<RocksDbMemory> RocksDbMemory::create(std::size_t block_cache_bytes,
                                                     std::size_t write_buffer_bytes) {
  return std::make_shared<rocks::SharedMemory>(block_cache_bytes, write_buffer_bytes);
}

}  // namespace sandtrail
