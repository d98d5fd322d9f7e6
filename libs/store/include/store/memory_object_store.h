// SPDX-License-Identifier: Apache-2.0
// The twin of the ObjectStore adapters: keeps everything in memory, and fails on demand.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "store/object_store.h"

namespace sandtrail {

// Thread-safe.
class MemoryObjectStore final : public ObjectStore {
 public:
  Status put(const std::string& name, BytesView content) override;
  Result<Bytes> get(const std::string& name) const override;
  Status remove(const std::string& name) override;

  // Every call fails with `error` (unavailable: the device is away) until it is nullopt again.
  void fail(std::optional<Error> error);
  // A put that would take the contents over this many bytes in all fails with disk_full.
  void set_capacity_bytes(std::optional<std::size_t> capacity_bytes);
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Bytes> objects_;
  std::size_t total_bytes_ = 0;
  std::optional<std::size_t> capacity_bytes_;
  std::optional<Error> error_;
};

}  // namespace sandtrail
