// SPDX-License-Identifier: Apache-2.0
// The EventLog on one machine: records in a RocksDB of its own, one process at a time.
//
// Beyond the port's promises: positions are dense and start at 0; a Committed record is on the disk
// (one fdatasync for each group of appends); own() assigns every partition at once and for good, to
// one member of a group at a time.
//
// What can be lost without a word: what was acknowledged since the last head mark (at most
// limits::kHeadMarkAgeMax, unless mark_every_commit) *and* then cut off or damaged on the disk, so
// that it looks like a write which was never finished. A kill or a power failure alone lose
// nothing.
//
// A directory holds `lock`, `identity`, `head` (log_embedded/head_mark.h) and `records/` (RocksDB);
// `inspected/` is there while somebody looks at a damaged one (log_embedded/inspect.h).
// Nothing else may write into it. Backups copy it while the log is closed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "event_log/event_log.h"

namespace sandtrail {

struct EmbeddedLogOptions {
  // With less free space on the disk, appends are NotCommitted{disk_full} until there is more. The
  // reserve is what RocksDB needs to flush and to trim. 0: no check.
  std::uint64_t free_bytes_min = limits::kLogFreeBytesMinDefault;
  // The head mark is made durable before each answer, not once a second: then no loss whatsoever of
  // acknowledged records goes unnoticed. Costs two more syncs for each group of appends. A mark
  // that cannot be written stops the log, as a failed sync does.
  bool mark_every_commit = false;
  // Opens a log that has lost acknowledged records, with what is intact before the damage. It is
  // another log then: it gets a new identity, so that nothing that was folded from the old one is
  // carried on by mistake. No effect on a log that has lost nothing.
  bool accept_loss = false;
  // A new identity in any case: the caller knows of a loss that the log does not, because a store
  // has folded more than there is.
  bool renew_identity = false;
  // Consumer groups that are gone for good: what they reported no longer holds trim() back.
  std::vector<std::string> forget_groups;
  // Told how many records were committed by each write, on the writer's thread; must be quick.
  std::function<void(std::size_t records)> on_batch;
};

// Opens the log in `directory`, creating both if need be. `clock` must outlive the log. Errors:
//   conflict     another process has it open; or acknowledged records are missing (the message
//                names them, the hint how to go on); or its parts are of different logs
//   corrupt      RocksDB or the head mark found damaged bytes
//   disk_full, denied, internal   from the operating system
Result<std::unique_ptr<EventLog>> open_embedded_log(const std::string& directory,
                                                    const EmbeddedLogOptions& options,
                                                    const Clock& clock, Random& random);

struct ReadOnlyLogOptions {
  Millis poll_interval{200};               // how often subscribers' partitions are looked at
  std::string scratch_directory = "/tmp";  // for RocksDB's own small files; removed at close
};

// For tools: reads a log that another process may be writing to, or that nobody has open. Changes
// nothing in it, but for syncing what it reads, so that it never shows what a crash could undo.
// Appends are NotCommitted{denied}, as are ensure_topic() of a new topic, own() and trim();
// report() has no effect. Topics created later are not seen. Errors as above.
Result<std::unique_ptr<EventLog>> open_embedded_log_read_only(const std::string& directory,
                                                              const ReadOnlyLogOptions& options);

}  // namespace sandtrail
