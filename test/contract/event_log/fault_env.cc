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
};

namespace {

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<FSWritableFile>&& file, std::shared_ptr<FaultState> state, bool is_log)
      : FSWritableFileOwnerWrapper(std::move(file)), state_(std::move(state)), is_log_(is_log) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    const IOStatus status = on_call(FaultEnv::Call::append);
    if (status.ok()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    const rocksdb::Slice half(data.data(), data.size() / 2);
    FSWritableFileOwnerWrapper::Append(half, options, debug).PermitUncheckedError();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = on_call(FaultEnv::Call::sync);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = on_call(FaultEnv::Call::sync);
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }

 private:
  IOStatus on_call(FaultEnv::Call call) {
    return is_log_ ? state_->on_log_call(call) : state_->on_table_call();
  }
  const std::shared_ptr<FaultState> state_;
  const bool is_log_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(std::shared_ptr<FaultState> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    const bool is_log = name.ends_with(".log");
    const bool is_table = name.ends_with(".sst");
    if (is_table) {
      const IOStatus status = state_->on_table_call();
      if (!status.ok()) return status;
    }
    const IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok() && (is_log || is_table)) {
      *file = std::make_unique<FaultyFile>(std::move(*file), state_, is_log);
    }
    return status;
  }

 private:
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

}  // namespace sandtrail::contract
