// SPDX-License-Identifier: Apache-2.0
#include "rocks.h"

#include <rocksdb/convenience.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "codec/table_file.h"
#include "memory.h"

namespace sandtrail::rocks {
namespace {

ErrorCode code_of(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return ErrorCode::disk_full;
  if (status.IsCorruption()) return ErrorCode::corrupt;
  if (status.IsNotFound() || status.IsPathNotFound()) return ErrorCode::not_found;
  if (status.IsTimedOut()) return ErrorCode::timeout;
  if (status.IsShutdownInProgress()) return ErrorCode::cancelled;
  return ErrorCode::internal;
}

bool is_supported(rocksdb::CompressionType type) {
  const auto types = rocksdb::GetSupportedCompressions();
  return std::find(types.begin(), types.end(), type) != types.end();
}

// RocksDB has no status of its own for a lock that is taken, only these two texts (env_posix.cc):
// by this process, and by another one.
bool is_locked(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("lock hold by current process") != std::string::npos ||
                                text.find("While lock file") != std::string::npos);
}

}  // namespace

Error error_of(std::string_view what, const rocksdb::Status& status) {
  return {code_of(status), std::string(what) + ": " + status.ToString(), ""};
}

rocksdb::Options careful_options(const std::shared_ptr<RocksDbMemory>& memory, rocksdb::Env* env) {
  const auto* shared = dynamic_cast<const SharedMemory*>(memory.get());
  rocksdb::Options options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  // The default recovery opens without a word with whatever stood before a damaged byte. This one
  // forgives only what a crash leaves: a torn last record.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_bgerror_resume_count = 0;

  options.write_buffer_size = limits::kStoreWriteBufferBytes;
  options.max_write_buffer_number = limits::kStoreWriteBuffersMax;
  options.max_total_wal_size = limits::kStoreWalBytesMax;
  options.max_open_files = limits::kStoreOpenFilesMax;
  options.max_background_jobs = 2;
  if (shared != nullptr) options.write_buffer_manager = shared->write_buffers;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache =
      shared != nullptr ? shared->cache : rocksdb::NewLRUCache(limits::kStoreBlockCacheBytes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression =
      is_supported(rocksdb::kLZ4Compression) ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;

  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = limits::kStoreInfoLogBytesMax;
  options.keep_log_file_num = limits::kStoreInfoLogFilesMax;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

Result<std::unique_ptr<rocksdb::DB>> open_db(const std::string& path,
                                             const rocksdb::Options& options,
                                             std::string_view corrupt_hint) {
  ST_CHECK_OK(make_directories(path, 0700));
  if (Status tables = check_table_files(path); !tables.ok()) {
    Error error = tables.error();
    error.hint = corrupt_hint;
    return error;
  }
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &raw);
  if (status.ok()) return std::unique_ptr<rocksdb::DB>(raw);
  if (is_locked(status)) {
    return Error{ErrorCode::conflict, "the store in " + path + " is already open",
                 "stop the other process, or give this one a data directory of its own"};
  }
  Error error = error_of("cannot open the store in " + path, status);
  if (error.code == ErrorCode::corrupt) error.hint = corrupt_hint;
  return error;
}

Status FailStop::check() const {
  if (!stopped_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  return Error{ErrorCode::internal, "the store stopped after a write error: " + first_.message,
               "see to the disk, then restart the process"};
}

Error FailStop::note(Error error) {
  const std::lock_guard lock(mutex_);
  if (!stopped_.load(std::memory_order_relaxed)) {
    first_ = error;
    stopped_.store(true, std::memory_order_release);
  }
  return error;
}

}  // namespace sandtrail::rocks
