// SPDX-License-Identifier: Apache-2.0
// What the runtime hands to projections, roles and observers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/core.h"
#include "event_log/record.h"

namespace sandtrail {

// One record after the core has judged it. Valid only during the call it is passed to.
struct Folded {
  const TopicPartition& where;
  Position position;
  UnixMs stamp;
  const Record& record;
  const Event* event = nullptr;  // null if the record holds none
  const Judgement& judgement;

  bool applied() const { return event != nullptr && judgement.applied(); }
  // The body, if the record was applied and holds one of that type.
  template <typename T>
  const T* applied_as() const {
    return applied() ? std::get_if<T>(&event->body) : nullptr;
  }
};

// An event to append. The runtime adds id, time, source and, for a role, its decision.
struct Proposal {
  OrgId org;  // nil where it belongs to none
  std::string subject;
  std::string correlation;
  std::string causation;
  std::string traceparent;
  std::optional<Actor> actor;
  std::string request_id;
  std::optional<Idempotency> idempotency;
  std::optional<std::int64_t> expected_version;
  EventBody body;
};

// What became of a proposal. Nobody acts on one before it is folded as applied.
struct ProposalOutcome {
  bool folded = false;  // judged: see `judgement` and `position`
  Judgement judgement;
  Position position;
  EventId event;
  Error error;  // if not folded; unknown_outcome: it is dead by now, whatever happened

  bool applied() const { return folded && judgement.applied(); }
  // Void only for its time: log time lags behind our clock, or a clock was wrong. Proposed again it
  // may be applied.
  bool void_for_its_time() const {
    return folded &&
           (judgement.reason == VoidReason::not_due || judgement.reason == VoidReason::stale ||
            judgement.reason == VoidReason::ahead);
  }
  // As the end of an effect whose last word it is: ok once it is judged for good, whichever way.
  Status settled() const {
    if (!folded) return error;
    if (!void_for_its_time()) return {};
    return Error{ErrorCode::unavailable, "void: " + std::string(enum_text(judgement.reason)), ""};
  }
};
using ProposalDone = std::function<void(const ProposalOutcome&)>;

}  // namespace sandtrail
