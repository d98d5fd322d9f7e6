// SPDX-License-Identifier: Apache-2.0
#include "domain/rating.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"

using namespace sandtrail;

namespace {

constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();

ExecutionLimits limits_of(std::int64_t wall_ms, std::int64_t memory_mib, std::int64_t cpu_millis) {
  ExecutionLimits out;
  out.wall_ms = wall_ms;
  out.memory_mib = memory_mib;
  out.cpu_millis = cpu_millis;
  return out;
}

std::int64_t between(SeededRandom& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low) + 1));
}

}  // namespace

TEST_CASE("rating: memory x CPU x time, in started milliseconds, rounded up once") {
  const struct {
    std::int64_t price, wall_ms, memory_mib, cpu_millis, wall_us;
    std::int64_t quantity, amount;
  } cases[] = {
      {1'000'000, 10'000, 1024, 1000, 1'000'000, 1'024'000'000, 1'000'000},  // the unit
      {1'000'000, 10'000, 256, 1000, 1'000'000, 256'000'000, 250'000},
      {1'000'000, 10'000, 1024, 1000, 0, 0, 0},
      {1'000'000, 10'000, 1024, 1000, 1, 1'024'000, 1000},  // a millisecond has started
      {1'000'000, 10'000, 1024, 1000, 1000, 1'024'000, 1000},
      {1'000'000, 10'000, 1024, 1000, 1001, 2'048'000, 2000},
      {1, 10'000, 1024, 1000, 1, 1'024'000, 1},              // a thousandth: one
      {1, 10'000, 1024, 1000, 1'000'000, 1'024'000'000, 1},  // exactly one
      {1, 10'000, 1024, 1000, 1'000'001, 1'025'024'000, 2},  // a little more: two
      {0, 10'000, 1024, 1000, 1'000'000, 1'024'000'000, 0},  // free
      {1'000'000, 10'000, 1024, 1000, 12'000'000, 12'288'000'000, 12'000'000},  // limit and grace
      {1'000'000, 10'000, 1024, 1000, 12'000'001, 12'288'000'000, 12'000'000},  // not beyond
      {1'000'000, 10'000, 1024, 1000, kMax, 12'288'000'000, 12'000'000},
      {1'000'000, 10'000, 1024, 1000, -1, 0, 0},
      {1'000'000, 10'000, 1024, 1000, kMin, 0, 0},
      {1, 10, 8, 50, 1, 400, 1},  // the smallest run
      {limits::kPriceMicroCreditsMax, 900'000, 8192, 8000, kMax, 59'113'472'000'000,
       57'728'000'000'000'000},                                     // the dearest
      {kMax, 900'000, 8192, 8000, kMax, 59'113'472'000'000, kMax},  // no such card: saturated
  };
  for (const auto& c : cases) {
    CAPTURE(c.price);
    CAPTURE(c.wall_us);
    const RateCard card{1, {c.price}};
    const RatedLine line = rate(card, limits_of(c.wall_ms, c.memory_mib, c.cpu_millis), c.wall_us);
    CHECK(line.meter == "memory_cpu_time");
    CHECK(line.quantity == c.quantity);
    CHECK(line.amount.count == c.amount);
  }
}

TEST_CASE("rating: no run costs more than its worst case, and a longer one never less") {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SeededRandom random(seed);
    const RateCard card{
        1, {between(random, 0, limits::kPriceMicroCreditsMax >> between(random, 0, 40))}};
    const auto run = limits_of(between(random, limits::kWallMsMin, limits::kWallMsMax),
                               between(random, limits::kMemoryMibMin, limits::kMemoryMibMax),
                               between(random, limits::kCpuMillisMin, limits::kCpuMillisMax));
    const std::int64_t wall_us = between(random, -10, kMax / 2) >> between(random, 0, 62);
    const std::int64_t amount = rate(card, run, wall_us).amount.count;
    const bool bounded = amount >= 0 && amount <= worst_case(card, run).count &&
                         amount >= rate(card, run, wall_us - 1).amount.count;
    if (bounded) continue;
    FAIL_CHECK("seed " << seed << ": " << amount << " of " << worst_case(card, run).count);
  }
}
