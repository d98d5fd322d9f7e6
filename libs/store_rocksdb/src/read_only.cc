// SPDX-License-Identifier: Apache-2.0
// Reading a database that another process may be writing to, as RocksDB's "secondary instance".
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "codec/table_file.h"
#include "rocks.h"

namespace sandtrail::rocks {
namespace {

// The writer may delete a file between our reading of its name and our opening of it.
constexpr int kTriesMax = 10;

}  // namespace

Result<Scratch> Scratch::make(const std::string& below) {
  std::string path = below + "/sandtrail-store-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return errno_error("cannot create " + path, errno);
  return Scratch(std::move(path));
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<rocksdb::DB>> open_db_read_only(const std::string& path,
                                                       const Scratch& scratch,
                                                       std::string_view corrupt_hint) {
  if (::access((path + "/CURRENT").c_str(), F_OK) != 0) {
    return Error{ErrorCode::not_found, "there is no store in " + path, ""};
  }
  rocksdb::Options options = careful_options(nullptr, nullptr);
  options.create_if_missing = false;
  options.max_open_files = -1;  // the other process deletes files; open ones stay readable
  Error error;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (Status tables = check_table_files(path); !tables.ok()) {
      error = tables.error();
      error.hint = corrupt_hint;
      return error;
    }
    rocksdb::DB* raw = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::OpenAsSecondary(options, path, scratch.path(), &raw);
    if (status.ok()) return std::unique_ptr<rocksdb::DB>(raw);
    error = error_of("cannot read the store in " + path, status);
    if (!status.IsIOError() && !status.IsPathNotFound() && !status.IsNotFound() &&
        !status.IsTryAgain()) {
      break;
    }
  }
  if (error.code == ErrorCode::corrupt) error.hint = corrupt_hint;
  return error;
}

}  // namespace sandtrail::rocks
