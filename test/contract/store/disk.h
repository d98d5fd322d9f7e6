// SPDX-License-Identifier: Apache-2.0
// Directories of tests, and looking at what is really in their files.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sandtrail::test {

// Removed with all it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string path;
};

// A file system of a few bytes, visible to this process only. Needs root.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Takes all the space there is, and gives it back.
  void fill();
  void empty();
  const std::string& path() const { return directory_.path; }

 private:
  std::string filler() const { return path() + "/filler"; }

  TemporaryDirectory directory_;
};

// Regular files below `path`.
std::vector<std::string> files_below(const std::string& path);
Bytes content_of(const std::string& file);
void overwrite(const std::string& file, BytesView content);
// True if any file below `path` contains the bytes.
bool directory_holds(const std::string& path, BytesView needle);
// Permission bits.
unsigned mode_of(const std::string& path);

}  // namespace sandtrail::test
