// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "runs.h"

using namespace sandtrail::sim;

namespace {

// Fails from action 13 on, if both an "a" and a "c" happen.
Outcome pretend(const Plan& plan) {
  Outcome out;
  out.actions = plan.actions;
  for (const char* kind : {"a", "b", "c", "d"}) {
    if (!plan.without.contains(kind)) out.troubles[kind] = 1;
  }
  if (plan.actions < 13 || plan.without.contains("a") || plan.without.contains("c")) return out;
  out.actions = 13;
  out.problems = {"it fails"};
  return out;
}

}  // namespace

TEST_CASE("a failing plan shrinks to what it takes to fail") {
  Plan plan;
  plan.seed = 7;
  int told = 0;
  const Plan small = shrink(plan, pretend, [&told](const Plan&) { ++told; });
  CHECK(small.seed == 7);
  CHECK(small.actions == 13);
  CHECK(small.without == std::set<std::string, std::less<>>{"b", "d"});
  CHECK(told > 0);
  CHECK(small.command() == "scripts/sim --one 7 --actions 13 --without 'b,d'");
}

TEST_CASE("a plan that does not fail stays as it is") {
  Plan plan;
  plan.actions = 5;
  const Plan same = shrink(plan, pretend);
  CHECK(same.actions == 5);
  CHECK(same.without.empty());
}
