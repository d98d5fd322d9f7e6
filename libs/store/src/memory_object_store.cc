// SPDX-License-Identifier: Apache-2.0
#include "store/memory_object_store.h"

#include <utility>

namespace sandtrail {

Status MemoryObjectStore::put(const std::string& name, BytesView content) {
  ST_CHECK_OK(check_object_name(name));
  ST_CHECK_OK(check_object_content(content));
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  const auto found = objects_.find(name);
  if (found != objects_.end()) {
    if (found->second == content) return {};
    return Error{ErrorCode::conflict, "object " + name + " exists with other content", ""};
  }
  if (capacity_bytes_ && total_bytes_ + content.size() > *capacity_bytes_) {
    return Error{ErrorCode::disk_full, "no space for object " + name, ""};
  }
  objects_.emplace(name, content);
  total_bytes_ += content.size();
  return {};
}

Result<Bytes> MemoryObjectStore::get(const std::string& name) const {
  ST_CHECK_OK(check_object_name(name));
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  const auto found = objects_.find(name);
  if (found == objects_.end()) return Error{ErrorCode::not_found, "no object " + name, ""};
  return found->second;
}

Status MemoryObjectStore::remove(const std::string& name) {
  ST_CHECK_OK(check_object_name(name));
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  const auto found = objects_.find(name);
  if (found == objects_.end()) return {};
  total_bytes_ -= found->second.size();
  objects_.erase(found);
  return {};
}

void MemoryObjectStore::fail(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
}

void MemoryObjectStore::set_capacity_bytes(std::optional<std::size_t> capacity_bytes) {
  const std::lock_guard lock(mutex_);
  capacity_bytes_ = capacity_bytes;
}

std::size_t MemoryObjectStore::count() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

}  // namespace sandtrail
