// SPDX-License-Identifier: Apache-2.0
// The fold of one partition: records in, rows out, one atomic batch at a time.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "codec/reflect.h"
#include "event_log/event_log.h"
#include "runtime/runtime.h"
#include "store_overlay.h"

namespace sandtrail {

// The row beside the rows: what the store is a fold of.
struct FoldMeta {
  std::string log_identity;
  std::int64_t fold_version = kFoldVersion;
  std::vector<std::string> projections;  // by name
  std::int64_t next = 0;
  Blob digest;
  Blob last;  // SHA-256 of the record before `next`
  std::int64_t void_records = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("log_identity", s.log_identity);
    v("fold_version", s.fold_version);
    v("projections", s.projections);
    v("next", s.next);
    v("digest", s.digest);
    v.with_default("last", s.last);
    v.with_default("void_records", s.void_records);
  }
};

// Records of one batch with their judgements, and what others get to see of them.
class FoldedBatch {
 public:
  FoldedBatch() = default;
  FoldedBatch(const FoldedBatch&) = delete;
  FoldedBatch& operator=(const FoldedBatch&) = delete;
  const std::vector<Folded>& records() const { return views_; }

 private:
  friend class PartitionFold;
  struct Judged {
    StoredRecord stored;
    std::variant<Event, VoidReason> event;
    Judgement judgement;
  };
  std::deque<Judged> judged_;  // stable addresses
  std::vector<Folded> views_;
};

// Not thread-safe: lives on the partition's thread.
class PartitionFold final : public PartitionView {
 public:
  PartitionFold(TopicPartition where, EventLog& log, KvStore& store,
                const std::vector<std::unique_ptr<Projection>>& projections,
                const SchemaVersions& versions);

  // Loads the store's rows and opens the reader behind them. For the errors see Runtime::start().
  Status open();
  // Folds and commits what is there, at most one batch. An empty batch: nothing new, or nothing
  // that can be read for now. An error stops the partition for good: the batch is empty then, and
  // the state may be ahead of the store.
  Status step(FoldedBatch& batch);
  // True if the last step() found nothing new.
  bool at_tail() const { return at_tail_; }
  // Why the last step() could not read, which may pass; nullopt: it could.
  const std::optional<Error>& refused() const { return refused_; }
  // As of the last read.
  Marks marks() const { return marks_; }
  // The store's rows up to next() survive the machine. An error is the store's.
  Status sync();
  // Everything below is folded: next(), but for positions that were never given.
  Position read_to() const { return std::max(read_to_, next()); }
  // Of all records below next().
  std::int64_t void_records() const { return meta_.void_records; }

  const TopicPartition& where() const override { return where_; }
  const CoreState& state() const override { return core_.state(); }
  const Rows& rows(std::string_view projection) const override;
  Position next() const override { return {meta_.next}; }

  const Bytes& digest() const { return meta_.digest.bytes; }
  TopicKind kind() const { return core_.kind(); }
  Result<PartitionDigests> digests() const;

 private:
  Status wipe();
  Status load_core();
  Status open_reader();
  Status check_history(const StoredRecord* last) const;
  Status fold_one(StoredRecord stored, FoldedBatch& batch);
  bool differs_from(const OwnerClaimed& claim) const;
  Error stop_error(const StoredRecord& stored, const Event& event) const;
  Status commit();

  TopicPartition where_;
  EventLog& log_;
  KvStore& store_;
  const SchemaVersions& versions_;
  Core core_;
  FoldMeta meta_;
  StoreOverlay overlay_;
  struct Part {
    const Projection* projection;
    std::unique_ptr<PrefixedRows> rows;
  };
  std::map<std::string, Part, std::less<>> parts_;  // by name
  std::unique_ptr<LogReader> reader_;
  Marks marks_;
  std::optional<Error> refused_;
  Position read_to_{};
  bool at_tail_ = false;
  Status stopped_;  // why the record at next() cannot be folded
  std::deque<std::pair<std::int64_t, Bytes>> recent_digests_;  // position, digest after it
};

}  // namespace sandtrail
