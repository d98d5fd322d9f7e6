// SPDX-License-Identifier: Apache-2.0
#include "rocks.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

namespace sandtrail::embedded {
namespace {

constexpr std::size_t kWriteBufferBytes = 8u << 20;       // each topic, two of them
constexpr std::size_t kAllWriteBuffersBytes = 32u << 20;  // of all topics together
constexpr std::size_t kBlockCacheBytes = 8u << 20;
constexpr std::uint64_t kWalBytesMax = 32u << 20;
constexpr std::uint64_t kTableFileBytes = 16u << 20;
constexpr int kOpenFilesMax = 512;

}  // namespace

Error rocks_error(std::string_view what, const rocksdb::Status& status) {
  Error error;
  error.message = std::string(what) + ": " + status.ToString();
  if (status.IsCorruption()) {
    error.code = ErrorCode::corrupt;
    error.hint = "restore the log from a backup";
  } else if (status.IsNoSpace()) {
    error.code = ErrorCode::disk_full;
    error.hint = "free some space";
  } else {
    error.code = ErrorCode::internal;
    error.hint = "see to the disk; if files of the log are gone, restore it from a backup";
  }
  return error;
}

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  // Accepts a torn last write and refuses damage before it. The default silently drops what
  // follows one flipped byte.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // What recovery found in the write-ahead log may not have been synced by the process that died;
  // flushing it at open makes it durable before anybody reads it.
  options.avoid_flush_during_recovery = false;
  options.avoid_flush_during_shutdown = true;
  options.max_total_wal_size = kWalBytesMax;
  options.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(kAllWriteBuffersBytes);
  options.max_background_jobs = 2;
  options.max_open_files = kOpenFilesMax;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 1u << 20;
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions family_options() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = kTableFileBytes;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

void ErrorWatch::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
  using Reason = rocksdb::BackgroundErrorReason;
  // The others are of flushes, compactions and what they record.
  const bool is_background = reason != Reason::kWriteCallback && reason != Reason::kMemTable;
  if (is_background && error->IsNoSpace()) {
    no_space_ = true;
    return;
  }
  const std::lock_guard lock(mutex_);
  if (fatal_.empty()) fatal_ = error->ToString();
}

void ErrorWatch::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error,
                                      bool* auto_recovery) {
  error.PermitUncheckedError();
  *auto_recovery = false;
}

std::string ErrorWatch::fatal() const {
  const std::lock_guard lock(mutex_);
  return fatal_;
}

}  // namespace sandtrail::embedded
