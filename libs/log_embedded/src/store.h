// SPDX-License-Identifier: Apache-2.0
// One open RocksDB with its column families.
#pragma once

#include <rocksdb/db.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "event_log/record.h"
#include "layout.h"
#include "rocks.h"

namespace sandtrail::embedded {

class Store {
 public:
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // True if `path` holds a database.
  static bool exists(const std::string& path);
  // For writing; creates it if there is none.
  static Result<std::unique_ptr<Store>> open(const std::string& path,
                                             const rocksdb::DBOptions& options);
  // Follows a database that another process may be writing to; own files go to `scratch`.
  static Result<std::unique_ptr<Store>> open_secondary(const std::string& path,
                                                       const std::string& scratch);

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* meta() { return families_.at(rocksdb::kDefaultColumnFamilyName); }
  // nullptr if there is none.
  rocksdb::ColumnFamilyHandle* family(const std::string& topic);
  // An existing family without an entry in meta is what a crash within ensure_topic() leaves.
  Result<rocksdb::ColumnFamilyHandle*> create_family(const std::string& topic);

  Result<std::optional<Bytes>> get_meta(const Bytes& key);
  Status put_meta(const Bytes& key, BytesView value);  // synced
  Result<std::map<std::string, std::int32_t>> topics();

  // What a topic takes, in files and in memory that is not in files yet; 0 if there is none.
  std::int64_t bytes_of(const std::string& topic);

  // The last record of a partition, nullopt if it holds none.
  struct Last {
    Position position;
    Bytes bytes;
  };
  Result<std::optional<Last>> last_record(rocksdb::ColumnFamilyHandle* family,
                                          std::int32_t partition);

 private:
  Store() = default;
  const rocksdb::ColumnFamilyOptions family_options_ = family_options();  // with the block cache
  std::unique_ptr<rocksdb::DB> db_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace sandtrail::embedded
