// SPDX-License-Identifier: Apache-2.0
#include "partition_fold.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "event_log/checks.h"
#include "obs/log.h"
#include "store/digest.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

// Claims are compared with the digests of so many records back.
constexpr std::size_t kRecentDigestsMax = 4096;

// Everything that readers of the log could see differently.
Bytes bytes_of(const StoredRecord& stored) {
  Bytes out;
  out.reserve(24 + stored.record.headers.size() * 8 + stored.record.size());
  put_be64(out, static_cast<std::uint64_t>(stored.position.value));
  put_be64(out, static_cast<std::uint64_t>(stored.stamp.count));
  const auto add = [&out](BytesView part) {
    put_be32(out, static_cast<std::uint32_t>(part.size()));
    out += part;
  };
  add(stored.record.key);
  for (const auto& [name, value] : stored.record.headers) {
    add(name);
    add(value);
  }
  add(stored.record.value);
  return out;
}

}  // namespace

PartitionFold::PartitionFold(TopicPartition where, EventLog& log, KvStore& store,
                             const std::vector<std::unique_ptr<Projection>>& projections,
                             const SchemaVersions& versions)
    : where_(std::move(where)),
      log_(log),
      store_(store),
      versions_(versions),
      core_(*topic_kind(where_.topic)),
      overlay_(store) {
  for (const auto& projection : projections) {
    if (!projection->folds(core_.kind())) continue;
    const std::string name(projection->name());
    parts_[name] = {projection.get(),
                    std::make_unique<PrefixedRows>(overlay_, projection_prefix(where_, name))};
  }
  for (const auto& [name, part] : parts_) meta_.projections.push_back(name);
}

Status PartitionFold::open(BaseFinder* bases) {
  meta_.log_identity = log_.identity();
  if (meta_.log_identity.empty()) {
    return Error{ErrorCode::unavailable, "the log does not say yet which one it is", ""};
  }
  ST_ASSIGN(const auto stored, store_.get(meta_key(where_)));
  if (stored) {
    ST_ASSIGN(FoldMeta found, from_text<FoldMeta>(*stored));
    if (found.log_identity != meta_.log_identity) {
      return Error{ErrorCode::conflict,
                   "the store of " + where_.text() + " was folded from another log",
                   "point it to its own log, or remove the store to fold this one"};
    }
    if (found.fold_version == kFoldVersion) ST_CHECK_OK(adopt(std::move(found)));
  }
  // First what may have to be repeated when the log is away.
  if (bases != nullptr) {
    ST_ASSIGN(const Marks now, log_.marks(where_));
    if (Position{meta_.next} < now.low) ST_CHECK_OK(begin_from_base(*bases, now.low));
  }
  ST_CHECK_OK(open_reader());
  read_to_ = {meta_.next};
  return meta_.next > 0 ? load_core() : wipe();
}

// The store's rows, if those of every projection are among them; the rows of others are dropped.
Status PartitionFold::adopt(FoldMeta found) {
  std::vector<std::string> others;
  std::size_t mine = 0;
  for (const std::string& name : found.projections) {
    if (parts_.contains(name)) {
      ++mine;
    } else {
      others.push_back(name);
    }
  }
  if (mine < parts_.size()) return {};
  found.projections = meta_.projections;
  meta_ = std::move(found);
  if (others.empty()) return {};
  WriteBatch batch;
  for (const std::string& name : others) {
    const Bytes prefix = projection_prefix(where_, name);
    ST_CHECK_OK(store_.scan(prefix, prefix_end(prefix), [&batch](BytesView key, BytesView) {
      batch.remove(Bytes(key));
      return true;
    }));
  }
  batch.put(meta_key(where_), to_text(meta_));
  return store_.write(batch, KvStore::Sync::no);
}

Status PartitionFold::begin_from_base(BaseFinder& bases, Position low) {
  ST_ASSIGN(const BaseManifest manifest, bases.find(where_, low, meta_.projections));
  ST_CHECK_OK(wipe());
  ST_CHECK_OK(load_base(bases.objects(), manifest, meta_.projections, store_));
  log_info("the fold begins from a base", {{"partition", where_.text()}, {"next", manifest.next}});
  meta_.next = manifest.next;
  meta_.digest = manifest.digest;
  meta_.last = manifest.last;
  meta_.void_records = manifest.void_records;
  return {};
}

// That the log still holds what was folded, as far as it can be told: it may have been trimmed,
// restored to an earlier time, or grown again differently since. So the last folded record is read
// again, by the reader that then goes on behind it.
Status PartitionFold::open_reader() {
  const Position next{meta_.next};
  ST_ASSIGN(marks_, log_.marks(where_));
  if (next < marks_.low) return trimmed_error(where_, next, marks_.low);
  if (next > marks_.high) {
    // A log of several machines may tell an old mark for a moment; of its readers it is sure.
    ST_ASSIGN(reader_, log_.open_reader(where_, next));
    ST_ASSIGN(marks_, log_.marks(where_));
    if (next > marks_.high) return beyond_tail_error(where_, next, marks_.high);
  }
  const Position last{meta_.next - 1};
  if (!meta_.last.bytes.empty() && last >= marks_.low) {
    ST_ASSIGN(reader_, log_.open_reader(where_, last));
    ST_ASSIGN(const ReadBatch batch, reader_->poll(1));
    ST_CHECK_OK(check_history(batch.records.empty() ? nullptr : &batch.records.front()));
    if (batch.records.size() == 1) return {};
  }
  ST_ASSIGN(reader_, log_.open_reader(where_, next));
  return {};
}

Status PartitionFold::check_history(const StoredRecord* last) const {
  if (last != nullptr && sha256(bytes_of(*last)) == meta_.last.bytes) return {};
  return Error{ErrorCode::conflict,
               where_.text() + " holds another record at " + std::to_string(meta_.next - 1) +
                   " than the store was folded from",
               "restore the right log, or remove the store to fold this one"};
}

// Rows of another fold version mean something else, and those of other projections (a store of
// another role) are not there: begin again.
Status PartitionFold::wipe() {
  const Bytes prefix = partition_prefix(where_);
  WriteBatch batch;
  ST_CHECK_OK(store_.scan(prefix, prefix_end(prefix), [&batch](BytesView key, BytesView) {
    batch.remove(Bytes(key));
    return true;
  }));
  return batch.empty() ? Status() : store_.write(batch, KvStore::Sync::no);
}

Status PartitionFold::load_core() {
  const Bytes prefix = core_prefix(where_);
  Status status;
  ST_CHECK_OK(store_.scan(prefix, prefix_end(prefix), [&](BytesView key, BytesView value) {
    status = core_.load(key.substr(prefix.size()), value);
    return status.ok();
  }));
  ST_CHECK_OK(status);
  core_.loaded();
  return {};
}

const Rows& PartitionFold::rows(std::string_view projection) const {
  const auto found = parts_.find(projection);
  ST_ASSERT(found != parts_.end());
  return *found->second.rows;
}

Status PartitionFold::step(FoldedBatch& batch) {
  ST_CHECK_OK(stopped_);
  at_tail_ = false;
  refused_.reset();
  auto read = reader_->poll(limits::kReadBatchBytesMax);
  if (!read.ok()) {
    if (!read.error().retryable()) return read.error();
    refused_ = read.error();
    return {};
  }
  marks_ = read->marks;
  for (StoredRecord& stored : read->records) {
    stopped_ = fold_one(std::move(stored), batch);
    // What stands before it counts; the next step says that it goes no further.
    if (!stopped_.ok()) break;
  }
  if (batch.records().empty()) {
    ST_CHECK_OK(stopped_);
  } else {
    ST_CHECK_OK(commit());
  }
  if (!stopped_.ok()) return {};
  read_to_ = read->next;
  at_tail_ = read->records.empty();
  return {};
}

Status PartitionFold::fold_one(StoredRecord stored, FoldedBatch& batch) {
  auto& judged = batch.judged_.emplace_back();
  judged.stored = std::move(stored);
  judged.event = decode_event(judged.stored.record, versions_);
  FoldInput input;
  input.position = judged.stored.position.value;
  input.stamp = judged.stored.stamp;
  input.event = std::get_if<Event>(&judged.event);
  if (input.event == nullptr) input.unreadable = std::get<VoidReason>(judged.event);
  input.value = judged.stored.record.value;
  if (input.event != nullptr) {
    const auto* claim = std::get_if<OwnerClaimed>(&input.event->body);
    input.other_fold = claim != nullptr && differs_from(*claim);
  }
  judged.judgement = core_.fold(input);
  if (judged.judgement.stop) return stop_error(judged.stored, *input.event);

  if (!judged.judgement.applied()) ++meta_.void_records;
  meta_.next = input.position + 1;
  meta_.last.bytes = sha256(bytes_of(judged.stored));
  const char verdict = static_cast<char>(judged.judgement.reason);
  meta_.digest.bytes = sha256_of({meta_.digest.bytes, meta_.last.bytes, {&verdict, 1}});
  recent_digests_.emplace_back(input.position, meta_.digest.bytes);
  if (recent_digests_.size() > kRecentDigestsMax) recent_digests_.pop_front();

  batch.views_.push_back({where_, judged.stored.position, judged.stored.stamp, judged.stored.record,
                          input.event, judged.judgement});
  for (const auto& [name, part] : parts_) {
    part.projection->apply(batch.views_.back(), core_.state(), *part.rows);
  }
  return {};
}

// A claimer says what its fold was; ours must have been the same there. Where its claim is legal,
// the core stops before it, so that nothing of a fold that differs is committed.
bool PartitionFold::differs_from(const OwnerClaimed& claim) const {
  const auto found =
      std::find_if(recent_digests_.begin(), recent_digests_.end(),
                   [&claim](const auto& entry) { return entry.first == claim.digest_position; });
  return found != recent_digests_.end() && found->second != claim.digest.bytes;
}

Error PartitionFold::stop_error(const StoredRecord& stored, const Event& event) const {
  if (const auto* claim = std::get_if<OwnerClaimed>(&event.body)) {
    return {ErrorCode::corrupt,
            "the fold of " + where_.text() + " differs from that of " + claim->instance + " at " +
                std::to_string(claim->digest_position),
            "compare versions, then rebuild the store of the process that is wrong"};
  }
  return {ErrorCode::conflict,
          where_.text() + " activates rules at " + std::to_string(stored.position.value) +
              " that this version does not know",
          "run a newer version"};
}

Status PartitionFold::commit() {
  ST_ASSIGN(WriteBatch batch, overlay_.take());
  const Bytes rows = core_prefix(where_);
  core_.drain([&](Bytes key, Bytes value) { batch.put(rows + key, std::move(value)); },
              [&](Bytes key) { batch.remove(rows + key); });
  batch.put(meta_key(where_), to_text(meta_));
  // Losing the newest batches with the machine costs a short replay, never a record.
  return store_.write(batch, KvStore::Sync::no);
}

Status PartitionFold::sync() {
  // The row that every batch writes: what was written before it is synced with it.
  WriteBatch batch;
  batch.put(meta_key(where_), to_text(meta_));
  return store_.write(batch, KvStore::Sync::yes);
}

Result<PartitionDigests> PartitionFold::digests() const {
  PartitionDigests out;
  out.where = where_;
  out.next = {meta_.next};
  out.fold = hex(meta_.digest.bytes);
  const auto of = [this](const Bytes& prefix) {
    return digest_of(store_, prefix, prefix_end(prefix));
  };
  ST_ASSIGN(const Bytes core, of(core_prefix(where_)));
  out.core = hex(core);
  for (const auto& [name, part] : parts_) {
    ST_ASSIGN(const Bytes rows, of(projection_prefix(where_, name)));
    out.projections.emplace_back(name, hex(rows));
  }
  return out;
}

}  // namespace sandtrail
