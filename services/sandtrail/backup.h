// SPDX-License-Identifier: Apache-2.0
// Backups of a data directory with an embedded log, also while its server runs; backup_file.h says
// what is in one.
//
// Everything is read and written record by record, so a damaged record is found when it is backed
// up. The order makes a backup consistent with itself: first the store, then the log, which by then
// holds all that the store was folded from, then the objects, each of which was durable before the
// record that names it. What was acknowledged before the call is in it.
#pragma once

#include <string>

#include "backup_file.h"
#include "base/clock.h"
#include "base/random.h"
#include "event_log/log_copy.h"

namespace sandtrail {

// Into an empty directory. Errors leave one that is no backup.
Result<BackupFile> make_backup(const std::string& data_directory, const std::string& to,
                               const Clock& clock, Random& random, const OnCopyProgress& progress);
// Of the data keys.
Result<BackupFile> make_key_backup(const std::string& data_directory, const std::string& to,
                                   const Clock& clock);

// Reads all of it and compares it with its digests. corrupt or conflict says what is wrong.
Result<BackupFile> verify_backup(const std::string& directory, const OnCopyProgress& progress);

// Verifies the backups, then makes an empty directory the data directory they were made of; `keys`
// may be empty. It can be served once this has returned, not before: until then its log is an
// unfinished copy.
Result<BackupFile> restore_backup(const std::string& from, const std::string& keys,
                                  const std::string& data_directory, Random& random,
                                  const OnCopyProgress& progress);

}  // namespace sandtrail
