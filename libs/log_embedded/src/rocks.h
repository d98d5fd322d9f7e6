// SPDX-License-Identifier: Apache-2.0
// How the embedded log uses RocksDB: options, errors, background errors.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sandtrail::embedded {

// What an operator can do about records that are gone.
inline constexpr const char* kLossHint =
    "restore its directory from a backup, or go on without them: sandtrail log accept-loss";

// "what: RocksDB's words". NoSpace becomes disk_full, Corruption corrupt.
Error rocks_error(std::string_view what, const rocksdb::Status& status);

rocksdb::DBOptions database_options(rocksdb::Env* env);
// With a block cache of its own, for all families of one database. Never for two: RocksDB finds a
// block by the identity that stands in the table file and by its offset, so that a copy of a log
// would be answered with the blocks of the original, or with one of another kind, and abort.
rocksdb::ColumnFamilyOptions family_options();

// Tells apart a full disk in the background, which ends when there is space again, from errors
// after which nothing may be written any more. Thread-safe.
class ErrorWatch final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;

  // RocksDB would write again by itself once there is space. The writer decides that instead: not
  // after a failed write, and otherwise when its reserve is free again.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;

  bool no_space() const { return no_space_.load(); }
  void set_no_space(bool no_space) { no_space_ = no_space; }
  // Empty if there was no such error.
  std::string fatal() const;

 private:
  std::atomic<bool> no_space_{false};
  mutable std::mutex mutex_;
  std::string fatal_;
};

}  // namespace sandtrail::embedded
