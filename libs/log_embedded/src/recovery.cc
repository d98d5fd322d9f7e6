// SPDX-License-Identifier: Apache-2.0
#include "recovery.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "core.h"
#include "event_log/checks.h"
#include "event_log/record_codec.h"
#include "scan.h"

namespace sandtrail::embedded {
namespace {

constexpr std::size_t kIdentityDigits = 32;

Status check_mark(Store& store, const TopicTable& topics, const HeadMark::Mark& mark) {
  const PartitionState* partition = topics.find(mark.where);
  if (partition == nullptr) return loss_error("topic " + mark.where.topic + " is missing");
  const Marks marks = partition->marks();
  if (marks.high < mark.tail) {
    return loss_error(mark.where.text() + " ended at " + std::to_string(mark.tail.value) +
                      " and now ends at " + std::to_string(marks.high.value));
  }
  // From the last record the head mark knows of to the end: at most a second's worth.
  Cursor cursor{std::max(marks.low, Position{mark.tail.value - 1}), std::nullopt};
  const auto any = [](StoredRecord&&, std::size_t) { return true; };
  if (cursor.next < mark.tail) {
    ST_CHECK_OK(scan(store.db(), partition->family, mark.where, cursor, mark.tail, any));
    if (cursor.running != mark.running) {
      return loss_error(mark.where.text() + " holds other records up to " +
                        std::to_string(mark.tail.value) + " than were acknowledged");
    }
  }
  return scan(store.db(), partition->family, mark.where, cursor, marks.high, any);
}

}  // namespace

Error loss_error(const std::string& what) {
  return {ErrorCode::conflict, "acknowledged records of the log are gone: " + what, kLossHint};
}

std::string records_directory(const std::string& directory) {
  return directory + "/records";
}

std::string import_mark(const std::string& directory) {
  return directory + "/unfinished";
}

Result<UniqueFd> lock_log_directory(const std::string& directory) {
  // RocksDB has a lock of its own, but takes it only after it has looked around, and words the
  // refusal as an I/O error.
  const std::string path = directory + "/lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.valid()) return errno_error("cannot open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return errno_error("cannot lock " + path, errno);
  return Error{ErrorCode::conflict, "another process has the log in " + directory + " open",
               "one process owns an embedded log: stop the other one, or use another directory"};
}

Result<Parts> look_at(const std::string& directory) {
  if (::access(import_mark(directory).c_str(), F_OK) == 0) {
    return Error{ErrorCode::conflict, "the log in " + directory + " is an unfinished copy",
                 "run again what copied it, to its end, or remove the directory"};
  }
  Parts parts{"", read_head_mark(directory), Store::exists(records_directory(directory))};
  auto identity = read_file(directory + "/identity", 4096);
  if (!identity.ok() && identity.error().code != ErrorCode::not_found) return identity.error();
  if (identity.ok() && identity->ends_with('\n')) identity->pop_back();
  if (identity.ok()) parts.identity = *identity;
  return parts;
}

Status load_partition(Store& store, PartitionState& partition) {
  LowMark low;
  ST_ASSIGN(const auto stored_low, store.get_meta(low_key(partition.where)));
  if (stored_low) {
    const auto parsed = low_mark_of(*stored_low);
    if (!parsed) {
      return Error{ErrorCode::corrupt, "the low mark of " + partition.where.text() + " is damaged",
                   "restore the log from a backup"};
    }
    low = *parsed;
  }
  ST_ASSIGN(const auto last, store.last_record(partition.family, partition.where.partition));
  if (last && last->position >= low.low) {
    ST_ASSIGN(const auto decoded, decode_record(partition.where, last->position, last->bytes));
    partition.tail = {last->position.value + 1, decoded.running, decoded.stored.stamp};
  } else {
    partition.tail = {low.low.value, low.running, low.stamp};
  }
  partition.high = partition.tail.next;
  partition.low = low.low.value;
  return {};
}

Status load_topics(Store& store, TopicTable& topics) {
  ST_ASSIGN(const auto known, store.topics());
  for (const auto& [topic, count] : known) {
    auto partitions = empty_partitions(topic, count, store.family(topic));
    for (const auto& partition : partitions) ST_CHECK_OK(load_partition(store, *partition));
    topics.add(topic, std::move(partitions));
  }
  return {};
}

Status check_whole(const Parts& parts, Store& store, const TopicTable& topics) {
  // Nothing can have been acknowledged before there is a topic, and no topic before a head mark.
  if (!parts.has_head() && topics.topics() == 0) return {};
  if (!parts.has_head()) return loss_error("its head mark is missing");
  if (!parts.head.ok()) {
    return Error{parts.head.error().code, parts.head.error().message, loss_error("").hint};
  }
  const HeadMark& head = *parts.head;
  ST_ASSIGN(const auto inner, store.get_meta(kIdentityKey));
  if (parts.identity != head.identity || inner != head.identity) {
    return loss_error("the identity, the head mark and the records are of different logs");
  }
  for (const HeadMark::Mark& mark : head.marks) ST_CHECK_OK(check_mark(store, topics, mark));
  return {};
}

Result<std::shared_ptr<LogCore>> LogCore::open(const std::string& directory,
                                               const EmbeddedLogOptions& options,
                                               const Clock& clock, Random& random,
                                               rocksdb::Env* env) {
  ST_CHECK_OK(make_directories(directory, 0700));
  std::shared_ptr<LogCore> core(new LogCore(directory, options, clock));
  ST_ASSIGN(core->lock_, lock_log_directory(directory));
  ST_CHECK_OK(core->recover(random, env));
  return core;
}

Result<bool> LogCore::open_store(rocksdb::Env* env) {
  rocksdb::DBOptions options = database_options(env);
  options.listeners.push_back(watch_);
  auto store = Store::open(records_directory(directory_), options);
  bool dropped = false;
  if (!store.ok() && store.error().code == ErrorCode::corrupt && options_.accept_loss) {
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    store = Store::open(records_directory(directory_), options);
    dropped = true;
  }
  if (!store.ok()) return store.error();
  store_ = std::move(*store);
  return dropped;
}

Status LogCore::recover(Random& random, rocksdb::Env* env) {
  ST_ASSIGN(const Parts parts, look_at(directory_));
  if (parts.has_head() && !parts.has_records && !options_.accept_loss) {
    return loss_error("its records are gone altogether");
  }
  ST_ASSIGN(const bool dropped, open_store(env));
  ST_CHECK_OK(load_topics(*store_, topics_));
  const Status whole = check_whole(parts, *store_, topics_);
  if (!whole.ok() && !options_.accept_loss) return whole.error();
  std::string identity = parts.identity;
  const auto raw = unhex(identity);
  // Also when the creation was cut short before the identity was there.
  const bool is_new = identity.size() != kIdentityDigits || !raw || hex(*raw) != identity;
  const bool other = dropped || !whole.ok() || options_.renew_identity;
  if (is_new || other) identity = hex(random.bytes(kIdentityDigits / 2));
  return begin_as(identity, parts.head.ok() ? *parts.head : HeadMark{});
}

Status LogCore::begin_as(const std::string& identity, const HeadMark& before) {
  ST_ASSIGN(const auto inner, store_->get_meta(kIdentityKey));
  if (inner != identity) ST_CHECK_OK(store_->put_meta(kIdentityKey, identity));
  ST_CHECK_OK(write_file_durably(directory_ + "/identity", identity + "\n", 0600));
  std::vector<HeadMark::Report> reports = before.reports;
  // Of another log nobody has folded anything yet, so all of it is still needed.
  if (identity != before.identity) {
    for (HeadMark::Report& known : reports) known.durable = {0};
  }
  consumers_.load(reports, options_.forget_groups);
  head_.identity = identity;
  head_.boots = before.boots + 1;
  const std::lock_guard lock(write_mutex_);
  return save_head_locked();
}

}  // namespace sandtrail::embedded
