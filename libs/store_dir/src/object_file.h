// SPDX-License-Identifier: Apache-2.0
// A file on its way to become an object. Private to this library.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace sandtrail {

// A locked file of mode 0600 under a name of its own; the destructor removes that name.
class IncomingFile {
 public:
  // `counter` is shared by all that write to `directory` in this process.
  static Result<IncomingFile> create(const std::string& directory,
                                     std::atomic<std::uint64_t>& counter);
  IncomingFile(IncomingFile&&) noexcept = default;
  IncomingFile& operator=(IncomingFile&&) = delete;
  ~IncomingFile();

  // Durable on return.
  Status write(BytesView content);
  // Gives the file a second name. False if that name is taken already.
  Result<bool> link_to(const std::string& path);

 private:
  IncomingFile(UniqueFd fd, std::string path);

  UniqueFd fd_;
  std::string path_;
};

// Removes files in `directory` that no process holds.
Status remove_left_over_files(const std::string& directory);

}  // namespace sandtrail
