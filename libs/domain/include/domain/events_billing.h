// SPDX-License-Identifier: Apache-2.0
// Money. Decided by the billing role; a grant by an operator. Legality: src/legality_billing.cc.
#pragma once

#include "domain/rating.h"

namespace sandtrail {

struct BillingGranted {
  static constexpr std::string_view kType = "sandtrail.billing.granted";
  OrgId organization;
  MicroCredits amount;  // positive
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("organization", s.organization);
    v("amount_microcredits", s.amount);
    v("reason", s.reason);
  }
};

// Ends the hold of an execution: the amount is charged, the rest is free in the same record.
struct BillingSettled {
  static constexpr std::string_view kType = "sandtrail.billing.settled";
  ExecutionId execution;
  std::int64_t rate_card = 0;
  MicroCredits hold;
  MicroCredits amount;           // the rating of the usage, at most the hold
  std::vector<RatedLine> lines;  // exactly rate() of a finished run; none if it did not finish
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("rate_card", s.rate_card);
    v("hold_microcredits", s.hold);
    v("amount_microcredits", s.amount);
    v("lines", s.lines);
  }
};

// On `platform`.
struct RateCardPublished {
  static constexpr std::string_view kType = "sandtrail.platform.rate_card_published";
  RateCard card;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("card", s.card);
  }
};

// Brings what stands on `platform` into a partition of `events`: only this is read by folds there.
struct PlatformAdopted {
  static constexpr std::string_view kType = "sandtrail.platform.adopted";
  std::int64_t position = 0;  // on `platform`, of the newest value adopted
  RateCard card;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("position", s.position);
    v("card", s.card);
  }
};

}  // namespace sandtrail
