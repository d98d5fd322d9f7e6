// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <unistd.h>

#include <limits>

#include "codec/table_file.h"

namespace sandtrail::embedded {
namespace {

Result<std::vector<rocksdb::ColumnFamilyDescriptor>> existing_families(
    const std::string& path, const rocksdb::DBOptions& options,
    const rocksdb::ColumnFamilyOptions& family) {
  std::vector<std::string> names;
  const rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!status.ok()) return rocks_error("cannot read the log's records", status);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, family);
  return families;
}

}  // namespace

Store::~Store() {
  if (!db_) return;
  for (const auto& [name, handle] : families_) {
    // Handles of our own database: cannot fail.
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  // Nothing unsynced is acknowledged, so there is nothing an error here could take away.
  db_->Close().PermitUncheckedError();
}

bool Store::exists(const std::string& path) {
  return ::access((path + "/CURRENT").c_str(), F_OK) == 0;
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path,
                                           const rocksdb::DBOptions& chosen) {
  std::unique_ptr<Store> store(new Store);
  rocksdb::DBOptions options = chosen;
  std::vector<rocksdb::ColumnFamilyDescriptor> families{
      {rocksdb::kDefaultColumnFamilyName, store->family_options_}};
  if (exists(path)) {
    if (const Status tables = check_table_files(path); !tables.ok()) {
      return Error{tables.error().code, tables.error().message, "restore the log from a backup"};
    }
    ST_ASSIGN(families, existing_families(path, options, store->family_options_));
  } else {
    options.create_if_missing = true;
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!status.ok()) {
    Error error = rocks_error("cannot open the log's records", status);
    // Their end may be damaged alone; then what stands before it can still be had.
    if (error.code == ErrorCode::corrupt) error.hint = kLossHint;
    return error;
  }
  store->db_.reset(db);
  for (std::size_t i = 0; i < handles.size(); ++i) store->families_[families[i].name] = handles[i];
  return store;
}

Result<std::unique_ptr<Store>> Store::open_secondary(const std::string& path,
                                                     const std::string& scratch) {
  rocksdb::DBOptions options = database_options(nullptr);
  options.max_open_files = -1;  // the other process deletes files; open ones stay readable
  std::unique_ptr<Store> store(new Store);
  ST_CHECK_OK(check_table_files(path));
  ST_ASSIGN(auto families, existing_families(path, options, store->family_options_));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::OpenAsSecondary(options, path, scratch, families, &handles, &db);
  if (!status.ok()) return rocks_error("cannot open the log's records", status);
  store->db_.reset(db);
  for (std::size_t i = 0; i < handles.size(); ++i) store->families_[families[i].name] = handles[i];
  return store;
}

rocksdb::ColumnFamilyHandle* Store::family(const std::string& topic) {
  const auto found = families_.find(topic_key(topic));
  return found == families_.end() ? nullptr : found->second;
}

Result<rocksdb::ColumnFamilyHandle*> Store::create_family(const std::string& topic) {
  if (rocksdb::ColumnFamilyHandle* known = family(topic)) return known;
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const auto status = db_->CreateColumnFamily(family_options_, topic_key(topic), &handle);
  if (!status.ok()) return rocks_error("cannot create topic " + topic, status);
  families_[topic_key(topic)] = handle;
  return handle;
}

Result<std::optional<Bytes>> Store::get_meta(const Bytes& key) {
  Bytes value;
  const auto status = db_->Get(rocksdb::ReadOptions(), meta(), key, &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return rocks_error("cannot read the log's catalogue", status);
  return std::optional<Bytes>(std::move(value));
}

Status Store::put_meta(const Bytes& key, BytesView value) {
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto status = db_->Put(options, meta(), key, value);
  if (!status.ok()) return rocks_error("cannot write the log's catalogue", status);
  return {};
}

Result<std::map<std::string, std::int32_t>> Store::topics() {
  std::map<std::string, std::int32_t> topics;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(rocksdb::ReadOptions(), meta()));
  for (at->Seek(kTopicPrefix); at->Valid() && at->key().starts_with(kTopicPrefix); at->Next()) {
    const std::string topic = at->key().ToString().substr(kTopicPrefix.size());
    const auto partitions = partitions_of(at->value().ToStringView());
    if (!partitions || family(topic) == nullptr) {
      return Error{ErrorCode::corrupt, "the log's catalogue is damaged at topic " + topic,
                   "restore the log from a backup"};
    }
    topics[topic] = *partitions;
  }
  if (!at->status().ok()) return rocks_error("cannot read the log's catalogue", at->status());
  return topics;
}

std::int64_t Store::bytes_of(const std::string& topic) {
  rocksdb::ColumnFamilyHandle* its = family(topic);
  if (its == nullptr) return 0;
  std::uint64_t files = 0;
  std::uint64_t memory = 0;
  db_->GetIntProperty(its, rocksdb::DB::Properties::kLiveSstFilesSize, &files);
  db_->GetIntProperty(its, rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
  return static_cast<std::int64_t>(files + memory);
}

Result<std::optional<Store::Last>> Store::last_record(rocksdb::ColumnFamilyHandle* family,
                                                      std::int32_t partition) {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(rocksdb::ReadOptions(), family));
  at->SeekForPrev(record_key(partition, std::numeric_limits<std::int64_t>::max()));
  if (!at->status().ok()) return rocks_error("cannot read the log's tail", at->status());
  if (!at->Valid()) return std::optional<Last>();
  const auto position = position_of(at->key().ToStringView(), partition);
  if (!position) return std::optional<Last>();
  return std::optional<Last>(Last{*position, at->value().ToString()});
}

}  // namespace sandtrail::embedded
