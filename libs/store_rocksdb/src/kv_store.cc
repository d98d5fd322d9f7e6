// SPDX-License-Identifier: Apache-2.0
#include "store_rocksdb/kv_store.h"

#include <rocksdb/write_batch.h>

#include <utility>

#include "rocks.h"
#include "store_rocksdb/on_env.h"

namespace sandtrail {
namespace {

constexpr std::size_t kWriteBytes = 16;  // about what RocksDB adds to a write in a batch

class RocksDbKvStore final : public KvStore {
 public:
  explicit RocksDbKvStore(std::unique_ptr<rocksdb::DB> db,
                          std::optional<rocks::Scratch> scratch = {})
      : scratch_(std::move(scratch)), db_(std::move(db)) {}

  Result<std::optional<Bytes>> get(BytesView key) const override {
    Bytes value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), rocks::slice(key), &value);
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return rocks::error_of("cannot read", status);
    return std::optional<Bytes>(std::move(value));
  }

  Status scan(BytesView begin, BytesView end, const Visit& visit) const override {
    return iterate(begin, end, [&visit](rocksdb::Iterator& it) {
      for (it.SeekToFirst(); it.Valid(); it.Next()) {
        if (!visit(rocks::view(it.key()), rocks::view(it.value()))) break;
      }
    });
  }

  Status scan_back(BytesView begin, BytesView end, const Visit& visit) const override {
    return iterate(begin, end, [&visit](rocksdb::Iterator& it) {
      for (it.SeekToLast(); it.Valid(); it.Prev()) {
        if (!visit(rocks::view(it.key()), rocks::view(it.value()))) break;
      }
    });
  }

  Status write(const WriteBatch& batch, Sync sync) override {
    ST_CHECK_OK(stop_.check());
    std::size_t bytes = 0;
    for (const auto& [key, value] : batch.writes()) {
      bytes += kWriteBytes + key.size() + (value ? value->size() : 0);
    }
    rocksdb::WriteBatch out(bytes);
    for (const auto& [key, value] : batch.writes()) {
      // Adding to a batch in memory fails only for keys and values of 4 GiB.
      const rocksdb::Status added =
          value ? out.Put(rocks::slice(key), rocks::slice(*value)) : out.Delete(rocks::slice(key));
      if (!added.ok()) return Error{ErrorCode::invalid_argument, added.ToString(), ""};
    }
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::yes;
    const rocksdb::Status status = db_->Write(options, &out);
    if (!status.ok()) return stop_.note(rocks::error_of("cannot write", status));
    return {};
  }

  Status compact(BytesView begin, BytesView end) override {
    ST_CHECK_OK(stop_.check());
    if (!end.empty() && begin >= end) return {};
    const rocksdb::Slice first = rocks::slice(begin);
    const rocksdb::Slice last = rocks::slice(end);
    return rocks::rewrite(*db_, &first, end.empty() ? nullptr : &last);
  }

 private:
  // An iterator sees the state at its creation and stays within its bounds.
  template <typename Walk>
  Status iterate(BytesView begin, BytesView end, const Walk& walk) const {
    if (!end.empty() && begin >= end) return {};
    const rocksdb::Slice lower = rocks::slice(begin);
    const rocksdb::Slice upper = rocks::slice(end);
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    if (!end.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    walk(*it);
    if (!it->status().ok()) return rocks::error_of("cannot scan", it->status());
    return {};
  }

  const std::optional<rocks::Scratch> scratch_;  // outlives the database
  std::unique_ptr<rocksdb::DB> db_;
  rocks::FailStop stop_;
};

constexpr std::string_view kCorruptHint = "delete the directory; the store is rebuilt from the log";

Result<std::unique_ptr<KvStore>> open_on(const std::string& path, const RocksDbKvOptions& options,
                                         rocksdb::Env* env) {
  ST_ASSIGN(auto db,
            rocks::open_db(path, rocks::careful_options(options.memory, env), kCorruptHint));
  return std::unique_ptr<KvStore>(std::make_unique<RocksDbKvStore>(std::move(db)));
}

}  // namespace

Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store(const std::string& path,
                                                       const RocksDbKvOptions& options) {
  return open_on(path, options, nullptr);
}

Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store_on_env(const std::string& path,
                                                              const RocksDbKvOptions& options,
                                                              rocksdb::Env& env) {
  return open_on(path, options, &env);
}

Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store_read_only(const std::string& path,
                                                                 const std::string& scratch) {
  ST_ASSIGN(rocks::Scratch files, rocks::Scratch::make(scratch));
  ST_ASSIGN(auto db, rocks::open_db_read_only(path, files, kCorruptHint));
  return std::unique_ptr<KvStore>(
      std::make_unique<RocksDbKvStore>(std::move(db), std::move(files)));
}

}  // namespace sandtrail
