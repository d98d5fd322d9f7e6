// SPDX-License-Identifier: Apache-2.0
// A file system under RocksDB that hangs and fails on demand, and whose machine can lose power.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

#include "unsynced_disk.h"

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

  // --- any file, and names ---
  // From now on follows what of the database in `directory` is durable, instead of syncing it.
  void watch(const std::string& directory);
  // Calls so far that change bytes or names, or sync them; of watched directories only.
  int changes() const;
  enum class Fault {
    error,    // that call fails with EIO, and others go on
    no_room,  // with ENOSPC
    power,    // it and all that follow fail; of an append a half was written
  };
  // Befalls the `skip`-th such call from now on; with `again` each `skip`-th one.
  void strike(Fault fault, int skip, bool again = false);
  bool struck() const;
  // Into `target`, which must not exist: what is found after the power is back.
  void copy_survivors(const std::string& target, UnsyncedDisk::Rest rest, Random& random) const;

 private:
  std::shared_ptr<FaultState> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace sandtrail::contract
