// SPDX-License-Identifier: Apache-2.0
// Getting rid of old bytes. A removed value of an LSM tree stays in its old files: in the
// write-ahead log until the buffer it filled is flushed, and in table files until they are
// rewritten at the bottom. Then RocksDB deletes the files on its own threads, at leisure; "gone"
// must be waited for.
#include <rocksdb/env.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "rocks.h"

namespace sandtrail::rocks {
namespace {

constexpr std::chrono::milliseconds kPollInterval{2};

struct Files {
  std::set<std::string> tables;  // names such as 000012.sst
  std::set<std::string> logs;    // names such as 000011.log
};

Result<Files> files_in(rocksdb::DB& db) {
  std::vector<std::string> names;
  const rocksdb::Status status = db.GetEnv()->GetChildren(db.GetName(), &names);
  if (!status.ok()) return error_of("cannot list the store's files", status);
  Files out;
  for (const std::string& name : names) {
    if (name.ends_with(".sst")) out.tables.insert(name);
    if (name.ends_with(".log")) out.logs.insert(name);
  }
  return out;
}

Result<std::uint64_t> current_log_number(rocksdb::DB& db) {
  std::unique_ptr<rocksdb::LogFile> log;
  const rocksdb::Status status = db.GetCurrentWalFile(&log);
  if (!status.ok()) return error_of("cannot find the write-ahead log", status);
  return log->LogNumber();
}

std::uint64_t number_of(const std::string& name) {
  return std::strtoull(name.c_str(), nullptr, 10);
}

// Drops from `files` what no longer exists, and tables that are part of the store.
Status forget_settled(rocksdb::DB& db, Files& files) {
  // Enabling scans for obsolete files and deletes them on this thread, unless another one is
  // already about to.
  rocksdb::Status status = db.DisableFileDeletions();
  if (status.ok()) status = db.EnableFileDeletions(false);
  if (!status.ok()) return error_of("cannot delete obsolete files", status);
  std::vector<rocksdb::LiveFileMetaData> live;
  db.GetLiveFilesMetaData(&live);
  for (const auto& file : live) files.tables.erase(file.name.substr(file.name.rfind('/') + 1));
  ST_ASSIGN(const Files present, files_in(db));
  std::erase_if(files.tables, [&](const auto& name) { return !present.tables.contains(name); });
  std::erase_if(files.logs, [&](const auto& name) { return !present.logs.contains(name); });
  return {};
}

// Waits until `files` are gone or, for tables a running job is about to add, in use.
Status await_removal(rocksdb::DB& db, Files files) {
  const auto rounds = limits::kStoreFileRemovalMax.count / kPollInterval.count();
  // Nobody signals it: RocksDB tells of deleted tables, but not of deleted logs.
  std::mutex mutex;
  std::condition_variable never;
  for (std::int64_t round = 0; round < rounds; ++round) {
    ST_CHECK_OK(forget_settled(db, files));
    if (files.tables.empty() && files.logs.empty()) return {};
    std::unique_lock lock(mutex);
    never.wait_for(lock, kPollInterval);
  }
  return Error{ErrorCode::timeout, "files of old values are still in use", "repeat it later"};
}

// RocksDB does not: a file that was removed could be there again after the power was lost.
Status sync_names(rocksdb::DB& db) {
  std::unique_ptr<rocksdb::Directory> directory;
  rocksdb::Status status = db.GetEnv()->NewDirectory(db.GetName(), &directory);
  if (status.ok()) status = directory->Fsync();
  if (!status.ok()) return error_of("cannot sync the store's directory", status);
  return {};
}

}  // namespace

Status rewrite(rocksdb::DB& db, const rocksdb::Slice* begin, const rocksdb::Slice* end) {
  // RocksDB would do nothing and say it is done.
  ST_ASSERT(begin == nullptr || end == nullptr || begin->compare(*end) <= 0);
  ST_ASSIGN(const std::uint64_t old_log, current_log_number(db));
  rocksdb::Status status = db.Flush(rocksdb::FlushOptions());
  if (!status.ok()) return error_of("cannot flush", status);

  rocksdb::CompactRangeOptions options;
  // Without force, files at the bottom are left alone, and values older than they are stay.
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.exclusive_manual_compaction = true;
  status = db.CompactRange(options, begin, end);
  if (!status.ok()) return error_of("cannot compact", status);

  // Listed only now: until here another compaction may have made one more copy of an old value.
  ST_ASSIGN(Files files, files_in(db));
  ST_ASSIGN(const std::uint64_t new_log, current_log_number(db));
  // Without anything to flush there is no new log, and the current one holds nothing.
  std::erase_if(files.logs, [&](const std::string& name) {
    return number_of(name) > old_log || number_of(name) == new_log;
  });
  ST_CHECK_OK(await_removal(db, std::move(files)));
  return sync_names(db);
}

}  // namespace sandtrail::rocks
