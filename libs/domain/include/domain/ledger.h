// SPDX-License-Identifier: Apache-2.0
// The double-entry ledger, derived from applied events. Integers of microcredits; the postings of
// every entry sum to zero.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/event.h"

namespace sandtrail {

// Accounts of one organisation, and of the house against it. A posting adds to its account:
// credits the organisation may spend stand in `available` as a positive sum, what was granted
// stands in `granted` as the matching negative one.
enum class Account { available, held, granted, revenue };
template <>
struct EnumNames<Account> {
  static constexpr std::array<std::pair<Account, std::string_view>, 4> names{
      {{Account::available, "available"},
       {Account::held, "held"},
       {Account::granted, "granted"},
       {Account::revenue, "revenue"}}};
};

struct Posting {
  Account account = Account::available;
  MicroCredits amount;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("account", s.account);
    v("amount_microcredits", s.amount);
  }
};

enum class EntryKind { grant, hold, settlement };
template <>
struct EnumNames<EntryKind> {
  static constexpr std::array<std::pair<EntryKind, std::string_view>, 3> names{
      {{EntryKind::grant, "grant"},
       {EntryKind::hold, "hold"},
       {EntryKind::settlement, "settlement"}}};
};

struct LedgerEntry {
  std::string event;  // id of the event it follows from
  UnixMs time;        // log time
  EntryKind kind = EntryKind::grant;
  std::optional<ExecutionId> execution;
  std::string description;
  std::vector<RatedLine> lines;  // of a settlement
  std::vector<Posting> postings;
  std::int64_t partition = 0;  // where the event stands in `events`
  std::int64_t position = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("event", s.event);
    v("time", s.time);
    v("kind", s.kind);
    v("execution", s.execution);
    v.with_default("description", s.description);
    v("lines", s.lines);
    v("postings", s.postings);
    v("partition", s.partition);
    v("position", s.position);
  }
};

// The entry that an applied event makes, if it moves credits. `time`, `partition` and `position`
// are left for the caller.
std::optional<LedgerEntry> ledger_entry_of(const Event& event);

}  // namespace sandtrail
