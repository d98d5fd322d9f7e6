// SPDX-License-Identifier: Apache-2.0
// What backup, restore and verify have in common: copying and counting each part of a backup.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backup_file.h"
#include "base/random.h"
#include "event_log/log_copy.h"
#include "store/key_store.h"
#include "store/kv_store.h"

namespace sandtrail {

// Topics of a log.
const std::vector<std::string>& topics_of_log();

// One state of the store `from`, whoever writes to it. Returns the digest of the copy, hex.
Result<std::string> copy_store(const std::string& from, const std::string& to);
// not_found, if there is no store: then the digest is "".
Result<std::string> digest_of_store(const std::string& path);

// A copy of an embedded log, up to its marks as of now, with the identity of the source.
Result<CopyReport> copy_embedded_log(const std::string& from, const std::string& to, Random& random,
                                     const OnCopyProgress& progress);
// Reads every record, and compares marks and identity with what `file` says; also that the store is
// not ahead. corrupt or conflict otherwise.
Status check_log(const std::string& directory, const BackupFile& file,
                 const OnCopyProgress& progress);

struct ObjectSum {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::string digest;  // SHA-256 over names and contents in their order, hex
};
// Of what is in `from`; copied as well, durably, unless `to` is empty. One that is removed
// meanwhile is passed over.
Result<ObjectSum> copy_objects(const std::string& from, const std::string& to);

struct KeySum {
  std::int64_t count = 0;
  std::string digest;
};
Result<KeySum> sum_of_keys(const KeyStore& keys);
// A copy of all keys there are now. `to` must be fresh.
Result<KeySum> copy_key_store(const std::string& from, const std::string& to);

// Small files that belong to the log's backup, as far as they are there, with their digests.
Result<std::map<std::string, std::string>> copy_files(const std::string& from,
                                                      const std::string& to);
// The digests of those that `file` names; conflict if one differs.
Status check_files(const std::string& directory, const BackupFile& file);

}  // namespace sandtrail
