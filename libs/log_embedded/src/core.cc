// SPDX-License-Identifier: Apache-2.0
#include "core.h"

#include <rocksdb/convenience.h>

#include "base/file.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "scan.h"

namespace sandtrail::embedded {

LogCore::LogCore(std::string directory, EmbeddedLogOptions options, const Clock& clock)
    : directory_(std::move(directory)), options_(std::move(options)), clock_(clock) {}

LogCore::~LogCore() {
  close_store();
}

void LogCore::close_store() {
  const std::unique_lock lock(gate_);
  store_.reset();
  lock_.reset();
}

Status LogCore::ensure_topic(const TopicSpec& spec) {
  ST_CHECK_OK(check_topic(spec));
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  const std::lock_guard lock(write_mutex_);
  const std::int32_t existing = topics_.partitions(spec.name);
  if (existing > 0) return check_same_partitions(spec, existing);
  if (const std::string reason = fatal(); !reason.empty()) {
    return Error{ErrorCode::internal, "the log has stopped: " + reason, "restart"};
  }
  const auto all = topics_.all_partitions() + static_cast<std::size_t>(spec.partitions);
  if (topics_.topics() >= limits::kTopicsMax || all > limits::kPartitionsMax) {
    return Error{ErrorCode::overloaded,
                 "an embedded log has at most " + std::to_string(limits::kTopicsMax) +
                     " topics and " + std::to_string(limits::kPartitionsMax) + " partitions",
                 ""};
  }
  ST_ASSIGN(rocksdb::ColumnFamilyHandle* const family, store_->create_family(spec.name));
  if (auto put = store_->put_meta(topic_key(spec.name), topic_value(spec.partitions)); !put.ok()) {
    fail(put.error().message);
    return put.error();
  }
  topics_.add(spec.name, empty_partitions(spec.name, spec.partitions, family));
  return save_head_locked();
}

Status LogCore::trim(PartitionState& partition, Position before) {
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  const std::string begin_key = record_key(partition.where.partition, 0);
  const std::string end_key = record_key(partition.where.partition, before.value);
  {
    const std::lock_guard lock(write_mutex_);
    const Marks marks = partition.marks();
    if (before > marks.high) {
      return Error{ErrorCode::invalid_argument,
                   "cannot trim past the tail of " + partition.where.text(), ""};
    }
    if (before <= marks.low) return {};
    ST_CHECK_OK(consumers_.may_trim(partition.where, before));
    if (const std::string reason = fatal(); !reason.empty()) {
      return Error{ErrorCode::internal, "the log has stopped: " + reason, "restart"};
    }
    // What the partition goes on from, should all its records be trimmed.
    LowMark low{before, {}, 0};
    Cursor cursor{{before.value - 1}, std::nullopt};
    ST_CHECK_OK(scan(store_->db(), partition.family, partition.where, cursor, before,
                     [&](StoredRecord&& record, std::size_t) {
                       low.stamp = record.stamp;
                       return true;
                     }));
    low.running = *cursor.running;
    rocksdb::WriteBatch writes;
    rocksdb::Status status = writes.DeleteRange(partition.family, begin_key, end_key);
    if (status.ok()) status = writes.Put(store_->meta(), low_key(partition.where), low_value(low));
    rocksdb::WriteOptions options;
    options.sync = true;
    if (status.ok()) status = store_->db().Write(options, &writes);
    if (!status.ok()) {
      fail(status.ToString());
      return rocks_error("cannot trim " + partition.where.text(), status);
    }
    partition.low = before.value;
  }
  // Frees whole files at once; compaction would get there later, so an error here costs nothing.
  const rocksdb::Slice begin(begin_key);
  const rocksdb::Slice end(end_key);
  rocksdb::DeleteFilesInRange(&store_->db(), partition.family, &begin, &end, false)
      .PermitUncheckedError();
  return {};
}

Result<ReadBatch> LogCore::read(const PartitionState& partition, Cursor& cursor,
                                std::size_t bytes_max) {
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  auto batch = read_batch(store_->db(), partition.family, partition.where, cursor,
                          partition.marks(), bytes_max);
  // A record that is gone may have been trimmed away after the marks were read.
  const Position low = partition.marks().low;
  if (!batch.ok() && cursor.next < low) return trimmed_error(partition.where, cursor.next, low);
  return batch;
}

void LogCore::report(const std::string& group, const TopicPartition& where, Position durable) {
  if (topics_.find(where) == nullptr || !consumers_.report(group, where, durable)) return;
  if (!head_changed_.exchange(true)) queue_.nudge();
}

std::string LogCore::fatal() const {
  const std::lock_guard lock(fatal_mutex_);
  return fatal_;
}

void LogCore::fail(const std::string& reason) {
  const std::lock_guard lock(fatal_mutex_);
  if (fatal_.empty()) fatal_ = reason;
}

ReportedPositions LogCore::reported() const {
  ReportedPositions out;
  for (const HeadMark::Report& known : consumers_.all()) {
    out[known.group][known.where] = known.durable;
  }
  return out;
}

Result<TopicFacts> LogCore::facts(const std::string& topic) {
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  return TopicFacts{store_->bytes_of(topic), {}};
}

LogHealth LogCore::health() const {
  return health_watch_.seen(health_now(), clock_.now());
}

LogHealth LogCore::health_now() const {
  const auto full = [](std::string reason) -> LogHealth {
    return {LogHealth::Level::degraded, std::move(reason), {}, ErrorCode::disk_full};
  };
  if (const std::string reason = fatal(); !reason.empty()) {
    return {LogHealth::Level::fatal, reason, {}, ErrorCode::internal};
  }
  if (const std::string reason = watch_->fatal(); !reason.empty()) {
    return {LogHealth::Level::fatal, reason, {}, ErrorCode::internal};
  }
  if (options_.free_bytes_min > 0 && free_bytes(directory_) < options_.free_bytes_min) {
    return full("the disk of " + directory_ + " is nearly full");
  }
  if (watch_->no_space()) return full("the disk was full");
  if (head_failed_.load()) return full("the head mark cannot be written");
  return {};
}

Status LogCore::save_head_locked() {
  head_changed_ = false;
  HeadMark head{head_.identity, head_.boots, {}, consumers_.all()};
  topics_.for_each([&](const PartitionState& partition) {
    head.marks.push_back({partition.where, {partition.tail.next}, partition.tail.running});
  });
  const Status saved = write_file_durably(directory_ + "/head", encode_head_mark(head), 0600);
  head_failed_ = !saved.ok();
  if (!saved.ok()) head_changed_ = true;
  // Each attempt writes a new file, so a full disk can be waited for; anything else is a disk that
  // should not be trusted with more.
  if (!saved.ok() && saved.error().code != ErrorCode::disk_full) fail(saved.error().message);
  return saved;
}

}  // namespace sandtrail::embedded
