// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "legality.h"

namespace sandtrail::legality {
namespace {

VoidReason adopt(Context& c, const RateCard& card) {
  // A partition may adopt the newest card without those it missed.
  if (card.version <= c.state.meta.rate_card) return VoidReason::version_mismatch;
  if (card.per_gib_core_second.count < 0 ||
      card.per_gib_core_second.count > limits::kPriceMicroCreditsMax) {
    return VoidReason::invalid;
  }
  c.state.cards.change(card_key(card.version)) = card;
  c.state.meta.rate_card = card.version;
  return VoidReason::none;
}

// What a terminal execution costs, line by line. Only a finished run has measured usage; all else
// is free of charge.
std::vector<RatedLine> lines_due(const RateCard& card, const ExecutionRow& row) {
  if (row.status != ExecutionStatus::finished) return {};
  return {rate(card, row.limits, row.wall_us)};
}

}  // namespace

std::string card_key(std::int64_t version) {
  std::string key;
  put_be64(key, static_cast<std::uint64_t>(version));
  return key;
}

VoidReason judge(Context& c, const BillingGranted& e) {
  if (e.organization != c.event.org || c.event.org.nil()) return VoidReason::not_found;
  if (e.amount.count <= 0 || e.amount.count > limits::kGrantMicroCreditsMax ||
      c.state.orgs.find(c.event.org)->granted.count > limits::kGrantMicroCreditsMax) {
    return VoidReason::invalid;
  }
  c.state.orgs.change(c.event.org).granted.count += e.amount.count;
  return VoidReason::none;
}

VoidReason judge(Context& c, const BillingSettled& e) {
  const ExecutionRow* row = c.state.executions.find(e.execution);
  if (row == nullptr || row->org != c.event.org) return VoidReason::not_found;
  if (!is_terminal(row->status) || row->settled) return VoidReason::wrong_state;
  const RateCard* card = c.state.card(row->rate_card);
  if (card == nullptr || e.rate_card != row->rate_card || e.hold != row->hold) {
    return VoidReason::wrong_amount;
  }
  const std::vector<RatedLine> due = lines_due(*card, *row);
  MicroCredits amount;
  for (const RatedLine& line : due) amount.count += line.amount.count;
  if (e.lines != due || e.amount != amount) return VoidReason::wrong_amount;
  OrgRow& org = c.state.orgs.change(c.event.org);
  org.held.count -= row->hold.count;
  org.settled.count += e.amount.count;
  ExecutionRow& changed = c.state.executions.change(e.execution);
  changed.settled = true;
  plan_forgetting(c, e.execution, changed);
  return VoidReason::none;
}

VoidReason judge(Context& c, const RateCardPublished& e) {
  if (e.card.version != c.state.meta.rate_card + 1) return VoidReason::version_mismatch;
  const auto reason = adopt(c, e.card);
  if (reason == VoidReason::none) c.state.meta.platform_position = c.position;
  return reason;
}

VoidReason judge(Context& c, const PlatformAdopted& e) {
  if (e.position <= c.state.meta.platform_position) return VoidReason::out_of_order;
  const auto reason = adopt(c, e.card);
  if (reason == VoidReason::none) c.state.meta.platform_position = e.position;
  return reason;
}

}  // namespace sandtrail::legality
