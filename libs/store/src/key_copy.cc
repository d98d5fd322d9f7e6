// SPDX-License-Identifier: Apache-2.0
#include "store/key_copy.h"

#include <condition_variable>
#include <mutex>

#include "base/limits.h"

namespace sandtrail {
namespace {

// Puts that are not answered yet.
class Puts {
 public:
  explicit Puts(KeyStore& store) : store_(store) {}
  // Answers refer to it.
  ~Puts() { static_cast<void>(wait().ok()); }
  Puts(const Puts&) = delete;
  Puts& operator=(const Puts&) = delete;

  // False once one has failed.
  bool put(const WrappedKey& key) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return waiting_ < limits::kKeyStoreBatchMax; });
      if (!failed_.ok()) return false;
      ++waiting_;
    }
    store_.put(key, [this](Status status) {
      const std::lock_guard lock(mutex_);
      --waiting_;
      if (failed_.ok() && !status.ok()) failed_ = std::move(status);
      changed_.notify_all();
    });
    return true;
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ == 0; });
    return failed_;
  }

 private:
  KeyStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  Status failed_;
};

}  // namespace

Result<std::int64_t> copy_keys(const KeyStore& from, KeyStore& to,
                               const std::function<bool(const WrappedKey&)>& take) {
  Puts pending(to);
  std::int64_t copied = 0;
  ST_CHECK_OK(from.list([&](const WrappedKey& key) {
    if (take && !take(key)) return true;
    ++copied;
    return pending.put(key);
  }));
  ST_CHECK_OK(pending.wait());
  return copied;
}

}  // namespace sandtrail
