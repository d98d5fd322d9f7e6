// SPDX-License-Identifier: Apache-2.0
#include "domain/ledger.h"

namespace sandtrail {
namespace {

LedgerEntry grant(const Event& event, MicroCredits amount, std::string description) {
  LedgerEntry entry;
  entry.event = event.id.text();
  entry.kind = EntryKind::grant;
  entry.description = std::move(description);
  entry.postings = {{Account::granted, {-amount.count}}, {Account::available, amount}};
  return entry;
}

}  // namespace

std::optional<LedgerEntry> ledger_entry_of(const Event& event) {
  if (const auto* e = std::get_if<OrganizationCreated>(&event.body)) {
    if (e->grant.count == 0) return std::nullopt;
    return grant(event, e->grant, "signup grant");
  }
  if (const auto* e = std::get_if<BillingGranted>(&event.body)) {
    return grant(event, e->amount, e->reason);
  }
  if (const auto* e = std::get_if<ExecutionAssigned>(&event.body)) {
    // Only the first assignment takes the hold; later attempts run under it.
    if (e->attempt != 1 || e->hold.count == 0) return std::nullopt;
    LedgerEntry entry;
    entry.event = event.id.text();
    entry.kind = EntryKind::hold;
    entry.execution = e->execution;
    entry.postings = {{Account::available, {-e->hold.count}}, {Account::held, e->hold}};
    return entry;
  }
  if (const auto* e = std::get_if<BillingSettled>(&event.body)) {
    LedgerEntry entry;
    entry.event = event.id.text();
    entry.kind = EntryKind::settlement;
    entry.execution = e->execution;
    entry.lines = e->lines;
    entry.postings = {{Account::held, {-e->hold.count}},
                      {Account::revenue, e->amount},
                      {Account::available, {e->hold.count - e->amount.count}}};
    return entry;
  }
  return std::nullopt;
}

}  // namespace sandtrail
