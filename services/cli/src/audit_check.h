// SPDX-License-Identifier: Apache-2.0
// Proves the audit log from the event log alone: every entry is derived again from its source
// event and compared byte for byte, the Merkle tree is computed again, and every signed checkpoint
// is checked against it. An entry about a record that the log has lost, and whose loss an operator
// accepted (log.loss_accepted), cannot be derived: it is taken as it is, and counted apart.
#pragma once

#include <optional>
#include <string>

#include "crypto/note.h"
#include "event_log/event_log.h"

namespace sandtrail::cli {

// The first thing that is not as it must be.
struct AuditDifference {
  std::string place;  // "audit/0/17"
  std::string field;  // of the entry or the checkpoint
  std::string detail;
};

struct AuditReport {
  std::uint64_t entries = 0;
  Bytes root;                         // of all entries
  std::uint64_t checkpoints = 0;      // signed and right
  std::uint64_t checkpoint_size = 0;  // of the newest one
  std::uint64_t pending = 0;          // audited events at the tail, still without an entry
  std::uint64_t lost_sources = 0;     // of `entries`: about records whose loss was accepted
  std::uint64_t void_records = 0;     // on `audit`, not part of the tree
  std::optional<AuditDifference> difference;
};

// Reads from the beginning; memory is bounded by what is not under a checkpoint yet. Errors: as
// reading the log; conflict if it was trimmed.
Result<AuditReport> check_audit(EventLog& log, const NoteVerifier& verifier);

}  // namespace sandtrail::cli
