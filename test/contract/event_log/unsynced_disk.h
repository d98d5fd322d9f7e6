// SPDX-License-Identifier: Apache-2.0
// What of a directory's files a machine that loses power finds again: of each file the bytes that
// were synced, and of names those whose directory was synced since. The rest may be there, too, in
// part: that is what makes a torn write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"

namespace sandtrail::contract {

// Follows the calls of a file system on files directly in one directory. Thread-safe.
class UnsyncedDisk {
 public:
  // What is in `directory` now counts as durable. Bytes of removed files are kept beside it, until
  // destruction.
  explicit UnsyncedDisk(std::string directory);
  ~UnsyncedDisk();
  UnsyncedDisk(const UnsyncedDisk&) = delete;
  UnsyncedDisk& operator=(const UnsyncedDisk&) = delete;

  // Each after the real call succeeded, but for before_creating(): truncating a file that is there
  // would change bytes of which the old ones may be durable.
  void before_creating(const std::string& path);
  void created(const std::string& path);
  void removed(const std::string& path);
  void renamed(const std::string& from, const std::string& to);
  void linked(const std::string& from, const std::string& to);
  void written(const std::string& path, std::uint64_t size);
  void synced(const std::string& path);
  void names_synced();

  // What becomes of what was not synced.
  enum class Rest {
    gone,    // all of it
    torn,    // names up to a random one are there, and of each file a random piece
    zeroed,  // the same, but files have their full length: zeros behind the piece
  };
  // Into `target`, which must not exist.
  void copy_survivors(const std::string& target, Rest rest, Random& random) const;

 private:
  struct Inode {
    std::string backing;  // a hard link to its bytes
    std::uint64_t size = 0;
    std::uint64_t synced = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  void change_locked(Names changes);  // null: the name goes
  std::shared_ptr<Inode> keep_locked(const std::string& path);

  const std::string directory_;
  const std::string backing_;
  mutable std::mutex mutex_;
  std::size_t inodes_ = 0;
  Names live_;
  Names durable_;
  std::vector<Names> changes_;  // of names, since they were synced
};

}  // namespace sandtrail::contract
