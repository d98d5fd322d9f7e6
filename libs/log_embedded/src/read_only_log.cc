// SPDX-License-Identifier: Apache-2.0
// A log that another process may be writing to, read as RocksDB's "secondary instance".
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "base/fd.h"
#include "event_log/checks.h"
#include "log_embedded/embedded_log.h"
#include "recovery.h"
#include "rocks.h"
#include "scan.h"

namespace sandtrail {
namespace {

using embedded::PartitionState;
using embedded::Store;

Error read_only_error() {
  return {ErrorCode::denied, "the log is open for reading only", ""};
}

struct ScratchDirectory {
  std::string path;
  ~ScratchDirectory() { remove(); }
  void remove() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
    path.clear();
  }
};

// Makes durable what the write-ahead logs hold, whoever wrote it.
Status sync_write_ahead_logs(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(directory.c_str()), ::closedir);
  if (!list) return errno_error("cannot list " + directory, errno);
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string name = entry->d_name;
    if (!name.ends_with(".log")) continue;
    const UniqueFd fd(::open((directory + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    // Gone meanwhile: its records are in a table file now, synced before.
    if (!fd.valid() && errno == ENOENT) continue;
    if (!fd.valid()) return errno_error("cannot open " + name, errno);
    if (::fdatasync(fd.get()) != 0) return errno_error("cannot sync " + name, errno);
  }
  if (::fsync(::dirfd(list.get())) != 0) return errno_error("cannot sync " + directory, errno);
  return {};
}

class Follower {
 public:
  static Result<std::shared_ptr<Follower>> open(const std::string& directory,
                                                const ReadOnlyLogOptions& options);

  // Takes over what the writer has done since; marks() of every partition are then at least what
  // was acknowledged before the call.
  Status refresh();
  Result<ReadBatch> read(const PartitionState& partition, embedded::Cursor& cursor,
                         std::size_t bytes_max);
  // Wakes everybody whose partition moved, or all if following fails.
  void wake();
  Result<TopicFacts> facts(const std::string& topic);
  void close();

  const embedded::TopicTable& topics() const { return topics_; }
  const std::string& identity() const { return identity_; }

 private:
  Status refresh_partition(PartitionState& partition, bool& moved);
  Status refresh_locked();

  std::string records_;
  std::string identity_;
  ScratchDirectory scratch_;
  mutable std::shared_mutex gate_;  // as in LogCore
  std::unique_ptr<Store> store_;
  embedded::TopicTable topics_;
  std::mutex refresh_mutex_;
  std::map<TopicPartition, std::int64_t> woken_;  // the high mark subscribers were last told of
};

Result<std::shared_ptr<Follower>> Follower::open(const std::string& directory,
                                                 const ReadOnlyLogOptions& options) {
  ST_ASSIGN(const embedded::Parts parts, embedded::look_at(directory));
  if (!parts.has_records && parts.has_head()) {
    return embedded::loss_error("its records are gone altogether");
  }
  if (!parts.has_records) {
    return Error{ErrorCode::not_found, "there is no log in " + directory, ""};
  }
  auto follower = std::make_shared<Follower>();
  follower->records_ = embedded::records_directory(directory);
  follower->identity_ = parts.identity;
  std::string scratch = options.scratch_directory + "/sandtrail-reader-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) {
    return errno_error("cannot create " + scratch, errno);
  }
  follower->scratch_.path = scratch;
  ST_ASSIGN(follower->store_, Store::open_secondary(follower->records_, scratch));
  ST_CHECK_OK(embedded::load_topics(*follower->store_, follower->topics_));
  ST_CHECK_OK(sync_write_ahead_logs(follower->records_));
  ST_CHECK_OK(embedded::check_whole(parts, *follower->store_, follower->topics_));
  follower->topics_.for_each([&](const PartitionState& partition) {
    follower->woken_[partition.where] = partition.high.load();
  });
  return follower;
}

Status Follower::refresh() {
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  const std::lock_guard lock(refresh_mutex_);
  return refresh_locked();
}

Status Follower::refresh_locked() {
  const auto caught_up = store_->db().TryCatchUpWithPrimary();
  if (!caught_up.ok()) return embedded::rocks_error("cannot follow the log", caught_up);
  Status status;
  bool moved = false;
  topics_.for_each([&](PartitionState& partition) {
    if (status.ok()) status = refresh_partition(partition, moved);
  });
  ST_CHECK_OK(status);
  if (!moved) return {};
  ST_CHECK_OK(sync_write_ahead_logs(records_));
  topics_.for_each([](PartitionState& partition) { partition.high = partition.tail.next; });
  return {};
}

// Leaves what it found in `tail`, to be shown once it is durable.
Status Follower::refresh_partition(PartitionState& partition, bool& moved) {
  PartitionState found;
  found.where = partition.where;
  found.family = partition.family;
  ST_CHECK_OK(embedded::load_partition(*store_, found));
  const Position high = partition.marks().high;
  if (found.tail.next < high.value)
    return beyond_tail_error(partition.where, high, {found.tail.next});
  moved = moved || found.tail.next > high.value;
  partition.tail = found.tail;
  // Low may not pass the high mark that readers see.
  partition.low = std::max(partition.low.load(), std::min(found.low.load(), high.value));
  return {};
}

Result<ReadBatch> Follower::read(const PartitionState& partition, embedded::Cursor& cursor,
                                 std::size_t bytes_max) {
  if (cursor.next >= partition.marks().high) ST_CHECK_OK(refresh());
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  auto batch = embedded::read_batch(store_->db(), partition.family, partition.where, cursor,
                                    partition.marks(), bytes_max);
  if (batch.ok() || batch.error().code != ErrorCode::corrupt) return batch;
  // Perhaps trimmed away since the last refresh.
  const std::lock_guard lock(refresh_mutex_);
  ST_CHECK_OK(refresh_locked());
  const Position low = partition.marks().low;
  if (cursor.next < low) return trimmed_error(partition.where, cursor.next, low);
  return batch;
}

void Follower::wake() {
  const bool failed = !refresh().ok();
  std::vector<std::shared_ptr<WakeList>> woken;
  {
    const std::lock_guard lock(refresh_mutex_);
    topics_.for_each([&](const PartitionState& partition) {
      const std::int64_t high = partition.high.load();
      if (failed || std::exchange(woken_[partition.where], high) != high) {
        woken.push_back(partition.wakes);
      }
    });
  }
  for (const auto& list : woken) list->wake_all();
}

Result<TopicFacts> Follower::facts(const std::string& topic) {
  const std::shared_lock open(gate_);
  if (!store_) return closed_error();
  return TopicFacts{store_->bytes_of(topic), {}};
}

void Follower::close() {
  const std::unique_lock lock(gate_);
  store_.reset();
  scratch_.remove();
}

class ReadOnlyReader final : public LogReader {
 public:
  ReadOnlyReader(std::shared_ptr<Follower> follower, const PartitionState& partition, Position from)
      : follower_(std::move(follower)), partition_(partition), cursor_{from, std::nullopt} {}
  Result<ReadBatch> poll(std::size_t bytes_max) override {
    return follower_->read(partition_, cursor_, bytes_max);
  }

 private:
  const std::shared_ptr<Follower> follower_;
  const PartitionState& partition_;
  embedded::Cursor cursor_;
};

class ReadOnlyLog final : public EventLog {
 public:
  ReadOnlyLog(std::shared_ptr<Follower> follower, Millis poll_interval)
      : follower_(std::move(follower)), poll_interval_(poll_interval) {}
  ~ReadOnlyLog() override { close({0}); }
  ReadOnlyLog(const ReadOnlyLog&) = delete;
  ReadOnlyLog& operator=(const ReadOnlyLog&) = delete;

  Status ensure_topic(const TopicSpec& spec) override {
    ST_CHECK_OK(check_topic(spec));
    const std::int32_t existing = partitions(spec.name);
    if (existing == 0) return read_only_error();
    return check_same_partitions(spec, existing);
  }
  std::int32_t partitions(const std::string& topic) const override {
    return follower_->topics().partitions(topic);
  }
  void append(const TopicPartition&, Record, AppendDone done) override {
    if (done) done({AppendOutcome::Kind::not_committed, {}, {}, read_only_error()});
  }
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override;
  std::shared_ptr<void> subscribe(const TopicPartition& where, std::function<void()> wake) override;
  Result<Marks> marks(const TopicPartition& where) override;
  Result<std::unique_ptr<Ownership>> own(const std::string&, const std::vector<std::string>&,
                                         OwnershipListener&) override {
    return read_only_error();
  }
  void report(const std::string&, const TopicPartition&, Position) override {}
  Result<ReportedPositions> reported() override { return read_only_error(); }
  Status trim(const TopicPartition&, Position) override { return read_only_error(); }
  Result<TopicFacts> facts(const std::string& topic) override { return follower_->facts(topic); }
  std::string identity() const override { return follower_->identity(); }
  LogHealth health() const override;
  void close(Millis deadline) override;

 private:
  void poll_until_closed();

  const std::shared_ptr<Follower> follower_;
  const Millis poll_interval_;
  std::mutex mutex_;
  std::condition_variable closing_;
  bool closed_ = false;
  std::thread poller_;  // started with the first subscriber
};

Result<std::unique_ptr<LogReader>> ReadOnlyLog::open_reader(const TopicPartition& where,
                                                            Position from) {
  const PartitionState* partition = follower_->topics().find(where);
  if (partition == nullptr) return no_such_partition(where);
  return std::unique_ptr<LogReader>(std::make_unique<ReadOnlyReader>(follower_, *partition, from));
}

std::shared_ptr<void> ReadOnlyLog::subscribe(const TopicPartition& where,
                                             std::function<void()> wake) {
  PartitionState* partition = follower_->topics().find(where);
  if (partition == nullptr) return nullptr;
  auto handle = partition->wakes->add(std::move(wake));
  const std::lock_guard lock(mutex_);
  if (!closed_ && !poller_.joinable()) poller_ = std::thread([this] { poll_until_closed(); });
  return handle;
}

Result<Marks> ReadOnlyLog::marks(const TopicPartition& where) {
  const PartitionState* partition = follower_->topics().find(where);
  if (partition == nullptr) return no_such_partition(where);
  ST_CHECK_OK(follower_->refresh());
  return partition->marks();
}

LogHealth ReadOnlyLog::health() const {
  if (const Status status = follower_->refresh(); !status.ok()) {
    return {LogHealth::Level::fatal, status.error().message, {}, status.error().code};
  }
  return {LogHealth::Level::degraded, read_only_error().message, {}, read_only_error().code};
}

void ReadOnlyLog::poll_until_closed() {
  std::unique_lock lock(mutex_);
  while (!closing_.wait_for(lock, std::chrono::milliseconds(poll_interval_.count),
                            [this] { return closed_; })) {
    lock.unlock();
    follower_->wake();
    lock.lock();
  }
}

void ReadOnlyLog::close(Millis) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  closing_.notify_all();
  if (poller_.joinable()) poller_.join();
  follower_->close();
}

}  // namespace

Result<std::unique_ptr<EventLog>> open_embedded_log_read_only(const std::string& directory,
                                                              const ReadOnlyLogOptions& options) {
  ST_ASSIGN(auto follower, Follower::open(directory, options));
  return std::unique_ptr<EventLog>(
      std::make_unique<ReadOnlyLog>(std::move(follower), options.poll_interval));
}

}  // namespace sandtrail
