// SPDX-License-Identifier: Apache-2.0
// Which events are audited, and as what. A pure function, so any reader can derive the entries
// again and find what was left out.
#pragma once

#include <optional>
#include <string>

#include "domain/core.h"

namespace sandtrail {

// Where the judged record stands.
struct AuditOrigin {
  std::string topic;
  std::int64_t partition = 0;
  std::int64_t position = 0;
  UnixMs stamp;
};

// The audit entry of a judged event, or nothing: only events with an actor are audited. Applied
// ones are successes (refused attempts: denied), void ones are denied. Repeats are not audited:
// the first judgement was. Texts are cut at limits::kAuditTextBytesMax, so that an entry always
// fits. `source.previous` is left for the auditor.
std::optional<AuditRecorded> audit_entry_of(const Event& event, const Judgement& judgement,
                                            const AuditOrigin& origin);

}  // namespace sandtrail
