// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/limits.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "log_embedded/embedded_import.h"
#include "recovery.h"
#include "scan.h"

namespace sandtrail {
namespace {

using embedded::PartitionState;
using embedded::Store;

constexpr std::size_t kIdentityBytes = 16;
constexpr std::string_view kMarkText = "sandtrail-import 1\n";

// The store and its topics outlive the import while a reader is there.
struct Filled {
  UniqueFd lock;
  std::unique_ptr<Store> store;
  embedded::TopicTable topics;
};

class FilledReader final : public LogReader {
 public:
  FilledReader(std::shared_ptr<Filled> filled, const PartitionState& partition, Position from)
      : filled_(std::move(filled)), partition_(partition), cursor_{from, std::nullopt} {}
  Result<ReadBatch> poll(std::size_t bytes_max) override {
    return embedded::read_batch(filled_->store->db(), partition_.family, partition_.where, cursor_,
                                partition_.marks(), bytes_max);
  }

 private:
  const std::shared_ptr<Filled> filled_;
  const PartitionState& partition_;
  embedded::Cursor cursor_;
};

class EmbeddedImport final : public LogImport {
 public:
  EmbeddedImport(std::string directory, std::string identity, std::shared_ptr<Filled> filled)
      : directory_(std::move(directory)),
        identity_(std::move(identity)),
        filled_(std::move(filled)) {}

  Status ensure_topic(const TopicSpec& spec) override;
  Status begin(const TopicPartition& where, Position low) override;
  Result<Position> next(const TopicPartition& where) override {
    const PartitionState* partition = filled_->topics.find(where);
    if (partition == nullptr) return no_such_partition(where);
    return partition->marks().high;
  }
  Status append(const TopicPartition& where, const std::vector<StoredRecord>& records) override;
  Status flush() override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override {
    const PartitionState* partition = filled_->topics.find(where);
    if (partition == nullptr) return no_such_partition(where);
    return std::unique_ptr<LogReader>(std::make_unique<FilledReader>(filled_, *partition, from));
  }
  Status finish() override;

 private:
  const std::string directory_;
  const std::string identity_;
  const std::shared_ptr<Filled> filled_;
};

Status EmbeddedImport::ensure_topic(const TopicSpec& spec) {
  ST_CHECK_OK(check_topic(spec));
  const std::int32_t existing = filled_->topics.partitions(spec.name);
  if (existing > 0) return check_same_partitions(spec, existing);
  ST_ASSIGN(rocksdb::ColumnFamilyHandle* const family, filled_->store->create_family(spec.name));
  ST_CHECK_OK(filled_->store->put_meta(embedded::topic_key(spec.name),
                                       embedded::topic_value(spec.partitions)));
  filled_->topics.add(spec.name, embedded::empty_partitions(spec.name, spec.partitions, family));
  return {};
}

Status EmbeddedImport::begin(const TopicPartition& where, Position low) {
  PartitionState* partition = filled_->topics.find(where);
  if (partition == nullptr) return no_such_partition(where);
  const Marks marks = partition->marks();
  if (marks.low == low) return {};
  if (marks.low.value != 0 || marks.high.value != 0) {
    return Error{ErrorCode::conflict,
                 where.text() + " begins at " + std::to_string(marks.low.value) + ", not at " +
                     std::to_string(low.value),
                 "was the source trimmed meanwhile? Copy into an empty directory"};
  }
  // The chain of hashes begins anew with the first record there is.
  ST_CHECK_OK(
      filled_->store->put_meta(embedded::low_key(where), embedded::low_value({low, UnixMs{}, 0})));
  return embedded::load_partition(*filled_->store, *partition);
}

Status EmbeddedImport::append(const TopicPartition& where,
                              const std::vector<StoredRecord>& records) {
  PartitionState* partition = filled_->topics.find(where);
  if (partition == nullptr) return no_such_partition(where);
  rocksdb::WriteBatch writes;
  embedded::Tail tail = partition->tail;
  for (const StoredRecord& stored : records) {
    if (stored.position.value != tail.next) {
      return Error{ErrorCode::invalid_argument, "records to be copied have a gap", ""};
    }
    ST_ASSIGN(EncodedRecord encoded, encode_record(where, stored.record));
    tail.running = seal_record(encoded, stored.position, stored.stamp, tail.running);
    tail.stamp = stored.stamp;
    ++tail.next;
    const Bytes key = embedded::record_key(where.partition, stored.position.value);
    ST_ASSERT(writes.Put(partition->family, key, encoded.bytes).ok());
  }
  // Synced by flush(): what a crash takes before is copied again.
  const auto status = filled_->store->db().Write(rocksdb::WriteOptions(), &writes);
  if (!status.ok()) return embedded::rocks_error("cannot write to the copy", status);
  partition->tail = tail;
  partition->high = tail.next;
  return {};
}

Status EmbeddedImport::flush() {
  const auto status = filled_->store->db().SyncWAL();
  if (!status.ok()) return embedded::rocks_error("cannot sync the copy", status);
  return {};
}

Status EmbeddedImport::finish() {
  ST_CHECK_OK(filled_->store->put_meta(embedded::kIdentityKey, identity_));
  ST_CHECK_OK(flush());
  ST_CHECK_OK(write_file_durably(directory_ + "/identity", identity_ + "\n", 0600));
  HeadMark head;
  head.identity = identity_;
  filled_->topics.for_each([&](const PartitionState& partition) {
    head.marks.push_back({partition.where, {partition.tail.next}, partition.tail.running});
  });
  ST_CHECK_OK(write_file_durably(directory_ + "/head", encode_head_mark(head), 0600));
  const std::string mark = embedded::import_mark(directory_);
  if (::unlink(mark.c_str()) != 0 && errno != ENOENT) {
    return errno_error("cannot remove " + mark, errno);
  }
  return sync_directory(directory_);
}

// Begins a directory that holds nothing yet, or goes on with one that was begun.
Status mark_unfinished(const std::string& directory) {
  const std::string mark = embedded::import_mark(directory);
  if (::access(mark.c_str(), F_OK) == 0) return {};
  for (const char* part : {"/identity", "/head", "/records"}) {
    if (::access((directory + part).c_str(), F_OK) != 0) continue;
    return Error{ErrorCode::conflict, directory + " holds a log already", "copy into an empty one"};
  }
  return create_file_durably(mark, kMarkText, 0600);
}

}  // namespace

Result<std::unique_ptr<LogImport>> open_embedded_import(const std::string& directory,
                                                        const std::string& identity,
                                                        Random& random) {
  ST_CHECK_OK(make_directories(directory, 0700));
  auto filled = std::make_shared<Filled>();
  ST_ASSIGN(filled->lock, embedded::lock_log_directory(directory));
  ST_CHECK_OK(mark_unfinished(directory));
  ST_ASSIGN(filled->store, Store::open(embedded::records_directory(directory),
                                       embedded::database_options(nullptr)));
  ST_CHECK_OK(embedded::load_topics(*filled->store, filled->topics));
  std::string chosen = identity.empty() ? hex(random.bytes(kIdentityBytes)) : identity;
  return std::unique_ptr<LogImport>(
      std::make_unique<EmbeddedImport>(directory, std::move(chosen), std::move(filled)));
}

Result<std::shared_ptr<void>> hold_embedded_log(const std::string& directory) {
  if (!Store::exists(embedded::records_directory(directory))) {
    return Error{ErrorCode::not_found, "there is no log in " + directory, ""};
  }
  ST_ASSIGN(UniqueFd lock, embedded::lock_log_directory(directory));
  return std::shared_ptr<void>(std::make_shared<UniqueFd>(std::move(lock)));
}

}  // namespace sandtrail
