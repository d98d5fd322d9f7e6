// SPDX-License-Identifier: Apache-2.0
// What both stores need of RocksDB. Private to this library.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "store_rocksdb/memory.h"

namespace sandtrail::rocks {

// RocksDB asserts that even an empty slice points somewhere.
inline rocksdb::Slice slice(BytesView bytes) {
  return {bytes.data() == nullptr ? "" : bytes.data(), bytes.size()};
}
inline BytesView view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

Error error_of(std::string_view what, const rocksdb::Status& status);

// Small and careful: WAL on, a damaged log is refused, an error is never retried behind our back.
// `env` null: the default one.
rocksdb::Options careful_options(const std::shared_ptr<RocksDbMemory>& memory, rocksdb::Env* env);

// `corrupt_hint` says what the operator does about a damaged store.
Result<std::unique_ptr<rocksdb::DB>> open_db(const std::string& path,
                                             const rocksdb::Options& options,
                                             std::string_view corrupt_hint);

// RocksDB's own files of a database that is only read. Removed at the end.
class Scratch {
 public:
  static Result<Scratch> make(const std::string& below);
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// As it is now, whoever writes to it.
Result<std::unique_ptr<rocksdb::DB>> open_db_read_only(const std::string& path,
                                                       const Scratch& scratch,
                                                       std::string_view corrupt_hint);

// Rewrites all files that overlap [begin, end] (null: open) and returns once neither they nor the
// write-ahead logs written before the call are in the directory any more, nor would be after the
// machine lost power.
Status rewrite(rocksdb::DB& db, const rocksdb::Slice* begin, const rocksdb::Slice* end);

// After the first write error everything else is refused: RocksDB, like the kernel, may report a
// failed fsync once and then succeed without having written what failed. Thread-safe.
class FailStop {
 public:
  // The refusal, once there was an error.
  Status check() const;
  // Notes an error; returns it as the caller shall see it.
  Error note(Error error);

 private:
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  Error first_;
};

}  // namespace sandtrail::rocks
