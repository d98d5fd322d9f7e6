// SPDX-License-Identifier: Apache-2.0
// Small files that must survive a crash: keys, marks, identities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail {

// The whole file. Fails with not_found, or overloaded if it is longer than `bytes_max`.
Result<Bytes> read_file(const std::string& path, std::size_t bytes_max);

// Replaces `path` as a whole: written beside it with `mode`, fdatasync, rename, fsync of the
// directory. After an error the old file stands.
Status write_file_durably(const std::string& path, BytesView content, unsigned mode);

// Makes `path` as a whole, durably; conflict if there is something already, which stays as it is. A
// link to a finished file, so that no half of one is ever found there.
Status create_file_durably(const std::string& path, BytesView content, unsigned mode);

// Reads a secret file; fails with denied if group or others may read it.
Result<Bytes> read_secret_file(const std::string& path, std::size_t bytes_max);

// mkdir -p; new directories get `mode`, and are durable on return.
Status make_directories(const std::string& path, unsigned mode);

// Free bytes on the disk of `directory` for this user; as much as can be if it can't be told.
std::uint64_t free_bytes(const std::string& directory);

// Makes what was created, renamed or removed in the directory durable.
Status sync_directory(const std::string& path);

}  // namespace sandtrail
