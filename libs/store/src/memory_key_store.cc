// SPDX-License-Identifier: Apache-2.0
#include "store/memory_key_store.h"

#include <utility>
#include <vector>

#include "base/limits.h"

namespace sandtrail {

void MemoryKeyStore::put(WrappedKey key, Done done) {
  submit({std::move(key), false, std::move(done)});
}

void MemoryKeyStore::destroy(const DataKeyId& id, Done done) {
  WrappedKey key;
  key.id = id;
  submit({std::move(key), true, std::move(done)});
}

void MemoryKeyStore::watch(std::function<void(const DataKeyId&)> destroyed) {
  const std::lock_guard lock(mutex_);
  destroyed_ = std::move(destroyed);
}

void MemoryKeyStore::destroy_elsewhere(const DataKeyId& id) {
  std::function<void(const DataKeyId&)> tell;
  {
    const std::lock_guard lock(mutex_);
    if (keys_.erase(id) > 0) tell = destroyed_;
  }
  if (tell) tell(id);
}

void MemoryKeyStore::submit(Request request) {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (holding_ && held_.size() < limits::kKeyStoreQueueMax) {
      held_.push_back(std::move(request));
      return;
    }
    status = holding_ ? Error{ErrorCode::overloaded, "too many requests wait", ""} : apply(request);
  }
  request.done(status);
}

Status MemoryKeyStore::apply(const Request& request) {
  if (error_) return *error_;
  if (request.destroy) {
    keys_.erase(request.key.id);
    return {};
  }
  ST_CHECK_OK(check_wrapped_key(request.key));
  const auto [it, added] = keys_.emplace(request.key.id, request.key);
  if (!added && it->second != request.key) {
    return Error{ErrorCode::conflict, "another data key has this id", ""};
  }
  return {};
}

Result<WrappedKey> MemoryKeyStore::get(const DataKeyId& id) const {
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  const auto found = keys_.find(id);
  if (found == keys_.end()) return Error{ErrorCode::not_found, "no such data key", ""};
  return found->second;
}

Status MemoryKeyStore::list(const std::function<bool(const WrappedKey&)>& visit) const {
  std::vector<WrappedKey> keys;
  {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    for (const auto& [id, key] : keys_) keys.push_back(key);
  }
  for (const WrappedKey& key : keys) {
    if (!visit(key)) break;
  }
  return {};
}

void MemoryKeyStore::hold() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void MemoryKeyStore::release() {
  std::vector<std::pair<Done, Status>> answers;
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    for (Request& request : held_) {
      Status status = apply(request);
      answers.emplace_back(std::move(request.done), std::move(status));
    }
    held_.clear();
  }
  for (auto& [done, status] : answers) done(std::move(status));
}

void MemoryKeyStore::crash() {
  std::deque<Request> lost;  // the callbacks die outside the lock: they may own anything
  const std::lock_guard lock(mutex_);
  lost.swap(held_);
  holding_ = false;
  error_.reset();
}

void MemoryKeyStore::fail(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
}

}  // namespace sandtrail
