// SPDX-License-Identifier: Apache-2.0
#include "store_dir/object_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "object_file.h"

namespace sandtrail {
namespace {

constexpr int kShards = 256;

std::string shard_name(int shard) {
  return hex(Bytes(1, static_cast<char>(shard)));
}

// Sorted; none if there is no such directory yet.
Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (auto at = std::filesystem::directory_iterator(directory, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    out.push_back(at->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return errno_error("cannot list " + directory, error.value());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class DirectoryObjectStore final : public ObjectStore {
 public:
  explicit DirectoryObjectStore(std::string path) : path_(std::move(path)) {}

  Status put(const std::string& name, BytesView content) override {
    ST_CHECK_OK(check_object_name(name));
    ST_CHECK_OK(check_object_content(content));
    ST_CHECK_OK(check_usable());
    ST_ASSIGN(const bool existed, matches(name, content));
    if (!existed) ST_CHECK_OK(create(name, content));
    // Also for a name that was there: its writer may not have come so far yet.
    return sync_shard(name);
  }

  Result<Bytes> get(const std::string& name) const override {
    ST_CHECK_OK(check_object_name(name));
    auto content = read_file(file_of(name), limits::kObjectBytesMax);
    if (content.ok()) return content;
    if (content.error().code == ErrorCode::not_found) {
      return Error{ErrorCode::not_found, "no object " + name, ""};
    }
    if (content.error().code == ErrorCode::overloaded) {
      return Error{ErrorCode::corrupt, "object " + name + " is longer than any can be", ""};
    }
    return content;
  }

  Status remove(const std::string& name) override {
    ST_CHECK_OK(check_object_name(name));
    ST_CHECK_OK(check_usable());
    const std::string file = file_of(name);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
      return errno_error("cannot remove " + file, errno);
    }
    // Also for a name that was not there: whoever removed it may have died before this.
    return sync_shard(name);
  }

 private:
  std::string shard_of(const std::string& name) const {
    return path_ + "/objects/" + hex(sha256(name).substr(0, 1));
  }
  std::string file_of(const std::string& name) const { return shard_of(name) + "/" + name; }

  // True if the object is there with this content, false if it is not there.
  Result<bool> matches(const std::string& name, BytesView content) const {
    const auto existing = get(name);
    if (!existing.ok() && existing.error().code == ErrorCode::not_found) return false;
    if (!existing.ok()) return existing.error();
    if (*existing == content) return true;
    return Error{ErrorCode::conflict, "object " + name + " exists with other content", ""};
  }

  Status create(const std::string& name, BytesView content) {
    ST_ASSIGN(IncomingFile file, IncomingFile::create(path_ + "/incoming", counter_));
    ST_CHECK_OK(file.write(content));
    ST_ASSIGN(const bool created, file.link_to(file_of(name)));
    if (created) return {};
    // Somebody was faster.
    ST_ASSIGN(const bool same, matches(name, content));
    if (same) return {};
    return Error{ErrorCode::unavailable, "object " + name + " is being removed", ""};
  }

  Status check_usable() const {
    if (!stopped_.load()) return {};
    return Error{ErrorCode::internal, "the object store stopped after a failed sync",
                 "see to the disk, then restart the process"};
  }

  Status sync_shard(const std::string& name) {
    Status status = sync_directory(shard_of(name));
    // A second try may succeed without having written what the first one lost.
    if (!status.ok()) stopped_ = true;
    return status;
  }

  const std::string path_;
  std::atomic<std::uint64_t> counter_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_directory_object_store(const std::string& path) {
  ST_CHECK_OK(make_directories(path + "/incoming", 0700));
  ST_CHECK_OK(make_directories(path + "/objects", 0700));
  // All at once and with one sync, so that put() never has to.
  for (int shard = 0; shard < kShards; ++shard) {
    const std::string directory = path + "/objects/" + shard_name(shard);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return errno_error("cannot create directory " + directory, errno);
    }
  }
  ST_CHECK_OK(sync_directory(path + "/objects"));
  ST_CHECK_OK(remove_left_over_files(path + "/incoming"));
  return std::unique_ptr<ObjectStore>(std::make_unique<DirectoryObjectStore>(path));
}

Status visit_directory_objects(
    const std::string& path,
    const std::function<Status(const std::string& name, BytesView content)>& visit) {
  if (::access((path + "/objects").c_str(), F_OK) != 0) return {};
  for (int shard = 0; shard < kShards; ++shard) {
    const std::string directory = path + "/objects/" + shard_name(shard);
    ST_ASSIGN(const std::vector<std::string> names, names_in(directory));
    for (const std::string& name : names) {
      if (!check_object_name(name).ok()) continue;
      const auto content = read_file(directory + "/" + name, limits::kObjectBytesMax);
      if (!content.ok() && content.error().code == ErrorCode::not_found) continue;
      if (!content.ok()) return content.error();
      ST_CHECK_OK(visit(name, *content));
    }
  }
  return {};
}

}  // namespace sandtrail
