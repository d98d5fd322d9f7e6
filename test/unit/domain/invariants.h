// SPDX-License-Identifier: Apache-2.0
// What has to hold after every record, whatever it was. Knows the core from outside only: rows,
// judgements and the entries derived from events.
#pragma once

#include <map>
#include <set>
#include <string>

#include "domain/ledger.h"
#include "history.h"

namespace sandtrail::test {

class Invariants {
 public:
  explicit Invariants(const History& history);

  // Checks the step just made; returns what is wrong, or "".
  std::string after(const History& history, Core& core, const Judgement& judgement);

 private:
  using Totals = std::map<Account, std::int64_t>;
  struct Meaning {
    Bytes body;
    std::string subject;
    UnixMs until;
  };

  std::string check_applied(const Event& event, const CoreState& state);
  std::string check_ledger(const Event& event);
  std::string check_settlement(const BillingSettled& settled) const;
  std::string check_idempotency(const Event& event, const Judgement& judgement, UnixMs now);
  std::string check_organizations(const CoreState& state) const;
  std::string check_executions(const CoreState& state);

  Rows rows_;
  UnixMs next_due_{};  // of what the fold forgets, before the step
  bool anything_due_ = false;
  std::map<OrgId, Totals> totals_;
  std::set<EventId> applied_;
  std::set<ExecutionId> ended_;
  std::map<ExecutionId, ExecutionRow> last_seen_;
  std::map<std::int64_t, RateCard> cards_;
  std::map<std::pair<OrgId, Bytes>, Meaning> meanings_;
};

}  // namespace sandtrail::test
