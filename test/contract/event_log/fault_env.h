// SPDX-License-Identifier: Apache-2.0
// A file system under RocksDB that hangs and fails on demand, for write-ahead logs and tables.
#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace sandtrail::contract {

struct FaultState;

// Thread-safe. Must outlive the log that uses its env().
class FaultEnv {
 public:
  FaultEnv();
  ~FaultEnv();
  rocksdb::Env& env() { return *env_; }

  // Appends and syncs of write-ahead logs wait as long as it is on.
  void hang(bool on);

  enum class Call { append, sync };
  // The `skip`-th next such call on a write-ahead log fails with EIO, or with ENOSPC. A failed
  // append writes the first half of its bytes, as a torn write would.
  void fail(Call call, int skip, bool no_space = false);
  // How often fail() has struck.
  int failures() const;
  // Creating or extending table files fails with ENOSPC as long as it is on.
  void tables_full(bool on);
  // Calls that reached a write-ahead log after the last failure.
  int calls_after_failure() const;

 private:
  std::shared_ptr<FaultState> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace sandtrail::contract
