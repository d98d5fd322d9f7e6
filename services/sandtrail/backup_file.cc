// SPDX-License-Identifier: Apache-2.0
#include "backup_file.h"

#include <filesystem>

#include "base/file.h"
#include "json_file.h"

namespace sandtrail {
namespace {

constexpr std::size_t kBackupFileBytesMax = 1u << 20;
constexpr std::int64_t kFormat = 1;

std::string path_in(const std::string& directory) {
  return directory + "/backup.json";
}

}  // namespace

Result<BackupFile> read_backup_file(const std::string& directory) {
  const auto text = read_file(path_in(directory), kBackupFileBytesMax);
  if (!text.ok() && text.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::conflict, directory + " holds no finished backup",
                 "backup.json is written last: what is there was cut short, and is of no use"};
  }
  if (!text.ok()) return text.error();
  ST_ASSIGN(BackupFile file,
            parse_json_file<BackupFile>(path_in(directory), *text, "use another backup"));
  const bool known = file.kind == kBackupOfLog || file.kind == kBackupOfKeys;
  if (file.format == kFormat && known) return file;
  return Error{ErrorCode::conflict, path_in(directory) + " is of another format",
               "use the version of sandtrail that made it"};
}

Status write_backup_file(const std::string& directory, const BackupFile& file) {
  return write_file_durably(path_in(directory), json::pretty(to_json(file)) + "\n", 0600);
}

Status make_empty_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_empty(path, error)) {
    return Error{ErrorCode::conflict, path + " is not empty", "name a directory of its own"};
  }
  return make_directories(path, 0700);
}

}  // namespace sandtrail
