// SPDX-License-Identifier: Apache-2.0
// What a run costs: memory x CPU x time, as allocated by its limits. Pure, integers only.
#pragma once

#include "domain/execution.h"

namespace sandtrail {

// Immutable once published; a new version has a new number. The price counts for 1 GiB and one core
// over one second; quantities are MiB x thousandths of a core x milliseconds.
struct RateCard {
  std::int64_t version = 0;
  MicroCredits per_gib_core_second;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("version", s.version);
    v("microcredits_per_gib_core_second", s.per_gib_core_second);
  }
};

// One line of a bill.
struct RatedLine {
  std::string meter;          // "memory_cpu_time"
  std::int64_t quantity = 0;  // MiB · core/1000 · ms
  MicroCredits amount;
  bool operator==(const RatedLine&) const = default;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("meter", s.meter);
    v("quantity", s.quantity);
    v("amount_microcredits", s.amount);
  }
};

// What a run that took `wall_us` costs. Time counts in started milliseconds, up to the
// time limit and a grace of two seconds; the amount is rounded up once, to a whole microcredit.
// `limits` are within their bounds (check()); an amount past 64 bits, which no legal card gives, is
// the greatest number.
RatedLine rate(const RateCard& card, const ExecutionLimits& limits, std::int64_t wall_us);

// The most that a run under these limits can cost: what is held before it starts.
MicroCredits worst_case(const RateCard& card, const ExecutionLimits& limits);

}  // namespace sandtrail
