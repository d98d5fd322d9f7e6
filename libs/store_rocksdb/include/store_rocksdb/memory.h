// SPDX-License-Identifier: Apache-2.0
// Memory that several RocksDB stores of one process share, so that their number does not decide how
// much is used.
#pragma once

#include <cstddef>
#include <memory>

namespace sandtrail {

// Thread-safe. Lives as long as the last store that uses it.
class RocksDbMemory {
 public:
  // A block cache for all, and a bound for all write buffers together: past it the store with the
  // oldest data flushes.
  static std::shared_ptr<RocksDbMemory> create(std::size_t block_cache_bytes,
                                               std::size_t write_buffer_bytes);
  virtual ~RocksDbMemory() = default;

 protected:
  RocksDbMemory() = default;
};

}  // namespace sandtrail
