// SPDX-License-Identifier: Apache-2.0
#include "backup.h"

#include <filesystem>

#include "backup_parts.h"
#include "base/file.h"
#include "log_embedded/embedded_import.h"
#include "store_rocksdb/key_store.h"

namespace sandtrail {
namespace {

Error differs(const std::string& what) {
  return {ErrorCode::corrupt, what + " are not what backup.json says", "use another backup"};
}

Status check_kind(const BackupFile& file, const std::string& directory, const char* wanted) {
  if (file.kind == wanted) return {};
  return Error{ErrorCode::invalid_argument,
               directory + " is a backup of the " + file.kind + ", not of the " + wanted, ""};
}

Status check_keys(const std::string& directory, const BackupFile& file) {
  ST_ASSIGN(const auto keys, open_rocksdb_key_store_read_only(directory + "/keys", "/tmp"));
  ST_ASSIGN(const KeySum sum, sum_of_keys(*keys));
  const bool same = sum.count == file.keys && sum.digest == file.keys_digest;
  return same ? Status() : Status(differs("the keys"));
}

}  // namespace

Result<BackupFile> make_backup(const std::string& data_directory, const std::string& to,
                               const Clock& clock, Random& random, const OnCopyProgress& progress) {
  BackupFile file;
  file.kind = kBackupOfLog;
  file.made = clock.now();
  ST_CHECK_OK(make_empty_directory(to));
  ST_ASSIGN(file.store_digest, copy_store(data_directory + "/store", to + "/store"));
  ST_ASSIGN(const CopyReport report,
            copy_embedded_log(data_directory + "/log", to + "/log", random, progress));
  for (const CopyReport::Part& part : report.parts) {
    file.parts.push_back(
        {part.where.topic, part.where.partition, part.marks.low.value, part.marks.high.value});
  }
  ST_ASSIGN(const Bytes identity, read_file(to + "/log/identity", 64));
  file.identity = identity.substr(0, identity.find('\n'));
  ST_ASSIGN(const ObjectSum objects, copy_objects(data_directory + "/objects", to + "/objects"));
  file.objects = objects.count;
  file.object_bytes = objects.bytes;
  file.objects_digest = objects.digest;
  ST_ASSIGN(file.files, copy_files(data_directory, to + "/files"));
  ST_CHECK_OK(write_backup_file(to, file));
  return file;
}

Result<BackupFile> make_key_backup(const std::string& data_directory, const std::string& to,
                                   const Clock& clock) {
  BackupFile file;
  file.kind = kBackupOfKeys;
  file.made = clock.now();
  ST_CHECK_OK(make_empty_directory(to));
  ST_ASSIGN(const KeySum sum, copy_key_store(data_directory + "/keys", to + "/keys"));
  file.keys = sum.count;
  file.keys_digest = sum.digest;
  ST_CHECK_OK(write_backup_file(to, file));
  return file;
}

Result<BackupFile> verify_backup(const std::string& directory, const OnCopyProgress& progress) {
  ST_ASSIGN(const BackupFile file, read_backup_file(directory));
  if (file.kind == kBackupOfKeys) {
    ST_CHECK_OK(check_keys(directory, file));
    return file;
  }
  ST_CHECK_OK(check_log(directory, file, progress));
  ST_ASSIGN(const std::string store, digest_of_store(directory + "/store"));
  if (store != file.store_digest) return differs("the rows of the store");
  ST_ASSIGN(const ObjectSum objects, copy_objects(directory + "/objects", ""));
  if (objects.count != file.objects || objects.digest != file.objects_digest) {
    return differs("the objects");
  }
  ST_CHECK_OK(check_files(directory, file));
  return file;
}

Result<BackupFile> restore_backup(const std::string& from, const std::string& keys,
                                  const std::string& data_directory, Random& random,
                                  const OnCopyProgress& progress) {
  ST_ASSIGN(const BackupFile file, verify_backup(from, progress));
  ST_CHECK_OK(check_kind(file, from, kBackupOfLog));
  if (!keys.empty()) {
    ST_ASSIGN(const BackupFile its, verify_backup(keys, nullptr));
    ST_CHECK_OK(check_kind(its, keys, kBackupOfKeys));
  }
  ST_CHECK_OK(make_empty_directory(data_directory));
  // First of all, so that nobody can serve what is half there.
  const std::string log = data_directory + "/log";
  ST_CHECK_OK(open_embedded_import(log, file.identity, random));
  ST_ASSIGN(const std::string store, copy_store(from + "/store", data_directory + "/store"));
  if (store != file.store_digest) return differs("the rows of the store");
  if (file.objects > 0) {
    ST_ASSIGN(const ObjectSum objects,
              copy_objects(from + "/objects", data_directory + "/objects"));
    if (objects.digest != file.objects_digest) return differs("the objects");
  }
  if (!keys.empty()) ST_CHECK_OK(copy_key_store(keys + "/keys", data_directory + "/keys"));
  ST_CHECK_OK(copy_files(from + "/files", data_directory));
  ST_CHECK_OK(copy_embedded_log(from + "/log", log, random, progress));
  return file;
}

}  // namespace sandtrail
