// SPDX-License-Identifier: Apache-2.0
#include "unsynced_disk.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace sandtrail::contract {

namespace fs = std::filesystem;

namespace {

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

}  // namespace

UnsyncedDisk::UnsyncedDisk(std::string directory)
    : directory_(std::move(directory)), backing_(directory_ + ".backing") {
  fs::create_directories(directory_);
  fs::create_directories(backing_);
  const std::lock_guard lock(mutex_);
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (!entry.is_regular_file()) continue;
    const auto inode = keep_locked(entry.path().string());
    inode->size = inode->synced = entry.file_size();
    live_[name_of(entry.path().string())] = inode;
  }
  durable_ = live_;
}

UnsyncedDisk::~UnsyncedDisk() {
  std::error_code ignored;
  fs::remove_all(backing_, ignored);
}

std::shared_ptr<UnsyncedDisk::Inode> UnsyncedDisk::keep_locked(const std::string& path) {
  auto inode = std::make_shared<Inode>();
  inode->backing = backing_ + "/" + std::to_string(inodes_++);
  fs::create_hard_link(path, inode->backing);
  return inode;
}

void UnsyncedDisk::change_locked(Names changes) {
  for (const auto& [name, inode] : changes) {
    if (inode) {
      live_[name] = inode;
    } else {
      live_.erase(name);
    }
  }
  changes_.push_back(std::move(changes));
}

void UnsyncedDisk::before_creating(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

void UnsyncedDisk::created(const std::string& path) {
  const std::lock_guard lock(mutex_);
  change_locked({{name_of(path), keep_locked(path)}});
}

void UnsyncedDisk::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  change_locked({{name_of(path), nullptr}});
}

void UnsyncedDisk::renamed(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name_of(from));
  if (found == live_.end()) return;
  change_locked({{name_of(from), nullptr}, {name_of(to), found->second}});
}

void UnsyncedDisk::linked(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name_of(from));
  if (found != live_.end()) change_locked({{name_of(to), found->second}});
}

void UnsyncedDisk::written(const std::string& path, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name_of(path));
  if (found != live_.end()) found->second->size = size;
}

void UnsyncedDisk::synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name_of(path));
  if (found != live_.end()) found->second->synced = found->second->size;
}

void UnsyncedDisk::names_synced() {
  const std::lock_guard lock(mutex_);
  durable_ = live_;
  changes_.clear();
}

void UnsyncedDisk::copy_survivors(const std::string& target, Rest rest, Random& random) const {
  const std::lock_guard lock(mutex_);
  Names names = durable_;
  // A journal keeps the order of what was done to names.
  const std::size_t kept = rest == Rest::gone ? 0 : random.below(changes_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    for (const auto& [name, inode] : changes_[i]) names[name] = inode;
  }
  fs::create_directories(target);
  for (const auto& [name, inode] : names) {
    if (!inode) continue;
    std::ifstream in(inode->backing, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::uint64_t loose = inode->size > inode->synced ? inode->size - inode->synced : 0;
    bytes.resize(inode->synced + (rest == Rest::gone ? 0 : random.below(loose + 1)));
    if (rest == Rest::zeroed) bytes.resize(inode->size);
    std::ofstream(fs::path(target) / name, std::ios::binary) << bytes;
  }
}

}  // namespace sandtrail::contract
