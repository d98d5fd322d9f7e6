// SPDX-License-Identifier: Apache-2.0
#include "fault_env.h"

#include <rocksdb/file_system.h>

#include <condition_variable>
#include <mutex>

namespace sandtrail::contract {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

struct FaultState {
  std::mutex mutex;
  std::condition_variable changed;
  bool hanging = false;
  bool tables_are_full = false;
  bool armed = false;
  FaultEnv::Call armed_for = FaultEnv::Call::append;
  bool armed_no_space = false;
  int calls_to_skip = 0;
  int failure_count = 0;
  int calls_since_failure = 0;

  std::shared_ptr<UnsyncedDisk> disk;  // null: not watched
  FaultEnv::Fault fault = FaultEnv::Fault::error;
  int change_count = 0;
  int strike_at = -1;  // of change_count
  int strike_step = 0;
  bool has_struck = false;
  bool power_is_off = false;

  IOStatus on_log_call(FaultEnv::Call call) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !hanging; });
    if (failure_count > 0) ++calls_since_failure;
    if (!armed || call != armed_for || calls_to_skip-- > 0) return IOStatus::OK();
    armed = false;
    ++failure_count;
    calls_since_failure = 0;
    return armed_no_space ? IOStatus::NoSpace("injected") : IOStatus::IOError("injected");
  }
  IOStatus on_table_call() {
    const std::lock_guard lock(mutex);
    return tables_are_full ? IOStatus::NoSpace("injected") : IOStatus::OK();
  }
  // Of any call that changes or syncs something.
  IOStatus on_change() {
    const std::lock_guard lock(mutex);
    if (!disk) return IOStatus::OK();
    if (power_is_off) return IOStatus::IOError("the power is off");
    if (change_count++ != strike_at) return IOStatus::OK();
    has_struck = true;
    strike_at = strike_step > 0 ? strike_at + strike_step : -1;
    power_is_off = fault == FaultEnv::Fault::power;
    return fault == FaultEnv::Fault::no_room ? IOStatus::NoSpace("struck")
                                             : IOStatus::IOError("struck");
  }
  std::shared_ptr<UnsyncedDisk> watched() {
    const std::lock_guard lock(mutex);
    return disk;
  }
};

namespace {

enum class Kind { log, table, other };

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<FSWritableFile>&& file, std::shared_ptr<FaultState> state,
             std::string name, Kind kind)
      : FSWritableFileOwnerWrapper(std::move(file)),
        state_(std::move(state)),
        name_(std::move(name)),
        kind_(kind) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    IOStatus status = on_call(FaultEnv::Call::append);
    if (status.ok()) status = state_->on_change();
    if (status.ok()) return write(data, options, debug);
    const rocksdb::Slice half(data.data(), data.size() / 2);
    write(half, options, debug).PermitUncheckedError();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->on_change();
    if (status.ok()) status = FSWritableFileOwnerWrapper::Truncate(size, options, debug);
    if (const auto disk = state_->watched(); disk && status.ok()) disk->written(name_, size);
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = sync();
    const bool real = status.ok() && !state_->watched();
    return real ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = sync();
    const bool real = status.ok() && !state_->watched();
    return real ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }

 private:
  IOStatus on_call(FaultEnv::Call call) {
    if (kind_ == Kind::log) return state_->on_log_call(call);
    return kind_ == Kind::table ? state_->on_table_call() : IOStatus::OK();
  }
  IOStatus write(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) {
    const IOStatus status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    const auto disk = state_->watched();
    if (disk && status.ok()) disk->written(name_, GetFileSize(options, debug));
    return status;
  }
  IOStatus sync() {
    IOStatus status = on_call(FaultEnv::Call::sync);
    if (status.ok()) status = state_->on_change();
    if (const auto disk = state_->watched(); disk && status.ok()) disk->synced(name_);
    return status;
  }

  const std::shared_ptr<FaultState> state_;
  const std::string name_;
  const Kind kind_;
};

class FaultyDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyDirectory(std::unique_ptr<rocksdb::FSDirectory>&& directory,
                  std::shared_ptr<FaultState> state)
      : FSDirectoryWrapper(std::move(directory)), state_(std::move(state)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync(); }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*,
                               const rocksdb::DirFsyncOptions&) override {
    return sync();
  }

 private:
  IOStatus sync() {
    const IOStatus status = state_->on_change();
    if (const auto disk = state_->watched(); disk && status.ok()) disk->names_synced();
    return status;
  }

  const std::shared_ptr<FaultState> state_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(std::shared_ptr<FaultState> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    const Kind kind = kind_of(name);
    IOStatus status = kind == Kind::table ? state_->on_table_call() : IOStatus::OK();
    if (status.ok()) status = state_->on_change();
    if (!status.ok()) return status;
    const auto disk = state_->watched();
    if (disk) disk->before_creating(name);
    status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (!status.ok()) return status;
    if (disk) disk->created(name);
    *file = std::make_unique<FaultyFile>(std::move(*file), state_, name, kind);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::ReopenWritableFile(name, options, file, debug);
    if (status.ok()) {
      *file = std::make_unique<FaultyFile>(std::move(*file), state_, name, kind_of(name));
    }
    return status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    return change([&] { return FileSystemWrapper::DeleteFile(name, options, debug); },
                  [&](UnsyncedDisk& disk) { disk.removed(name); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    return change([&] { return FileSystemWrapper::RenameFile(from, to, options, debug); },
                  [&](UnsyncedDisk& disk) { disk.renamed(from, to); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    return change([&] { return FileSystemWrapper::LinkFile(from, to, options, debug); },
                  [&](UnsyncedDisk& disk) { disk.linked(from, to); });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                        IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::NewDirectory(name, options, directory, debug);
    if (status.ok() && state_->watched()) {
      *directory = std::make_unique<FaultyDirectory>(std::move(*directory), state_);
    }
    return status;
  }

 private:
  static Kind kind_of(const std::string& name) {
    if (name.ends_with(".log")) return Kind::log;
    return name.ends_with(".sst") ? Kind::table : Kind::other;
  }
  template <typename Call, typename Note>
  IOStatus change(const Call& call, const Note& note) {
    IOStatus status = state_->on_change();
    if (status.ok()) status = call();
    if (const auto disk = state_->watched(); disk && status.ok()) note(*disk);
    return status;
  }

  const std::shared_ptr<FaultState> state_;
};

}  // namespace

FaultEnv::FaultEnv()
    : state_(std::make_shared<FaultState>()),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(state_))) {}

FaultEnv::~FaultEnv() = default;

void FaultEnv::hang(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->hanging = on;
  state_->changed.notify_all();
}

void FaultEnv::fail(Call call, int skip, bool no_space) {
  const std::lock_guard lock(state_->mutex);
  state_->armed = true;
  state_->armed_for = call;
  state_->armed_no_space = no_space;
  state_->calls_to_skip = skip;
}

int FaultEnv::failures() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failure_count;
}

void FaultEnv::tables_full(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->tables_are_full = on;
}

int FaultEnv::calls_after_failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls_since_failure;
}

void FaultEnv::watch(const std::string& directory) {
  auto disk = std::make_shared<UnsyncedDisk>(directory);
  const std::lock_guard lock(state_->mutex);
  state_->disk = std::move(disk);
}

int FaultEnv::changes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->change_count;
}

void FaultEnv::strike(Fault fault, int skip, bool again) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = fault;
  state_->strike_at = state_->change_count + skip;
  state_->strike_step = again ? skip : 0;
}

bool FaultEnv::struck() const {
  const std::lock_guard lock(state_->mutex);
  return state_->has_struck;
}

void FaultEnv::copy_survivors(const std::string& target, UnsyncedDisk::Rest rest,
                              Random& random) const {
  state_->watched()->copy_survivors(target, rest, random);
}

}  // namespace sandtrail::contract
