// SPDX-License-Identifier: Apache-2.0
#include "domain/rating.h"

#include <algorithm>
#include <limits>

namespace sandtrail {
namespace {

__extension__ using Wide = __int128;

// MiB x core/1000 x ms in one GiB x core x second.
constexpr std::int64_t kQuantityPerUnit = std::int64_t{1024} * 1000 * 1000;

// A host may notice the limit late; what it may measure beyond it is bounded, and held too.
constexpr std::int64_t kWallGraceMs = 2'000;

}  // namespace

RatedLine rate(const RateCard& card, const ExecutionLimits& limits, std::int64_t wall_us) {
  // Whatever a host claims, time counts up to the limit and the grace, so never more than the hold.
  const std::int64_t wall_us_counted =
      std::clamp<std::int64_t>(wall_us, 0, (limits.wall_ms + kWallGraceMs) * 1000);
  const std::int64_t wall_ms = (wall_us_counted + 999) / 1000;
  RatedLine line;
  line.meter = "memory_cpu_time";
  // At most 8192 x 8000 x 902000, far below 2^63; the product with the price needs 128 bits.
  line.quantity = limits.memory_mib * limits.cpu_millis * wall_ms;
  const auto product = static_cast<Wide>(line.quantity) * card.per_gib_core_second.count;
  const Wide amount = (product + kQuantityPerUnit - 1) / kQuantityPerUnit;
  line.amount.count =
      static_cast<std::int64_t>(std::min<Wide>(amount, std::numeric_limits<std::int64_t>::max()));
  return line;
}

MicroCredits worst_case(const RateCard& card, const ExecutionLimits& limits) {
  return rate(card, limits, (limits.wall_ms + kWallGraceMs) * 1000).amount;
}

}  // namespace sandtrail
