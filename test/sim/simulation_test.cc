// SPDX-License-Identifier: Apache-2.0
// Whole installations by seed, among faults of every kind. scripts/sim runs them by the thousand.
#include <doctest/doctest.h>

#include <string>

#include "runs.h"
#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

constexpr std::uint64_t kRuns = 24;

std::string lines(const std::vector<std::string>& problems) {
  std::string out;
  for (const std::string& problem : problems) out += "\n  " + problem;
  return out;
}

}  // namespace

TEST_CASE("whatever happens, every execution ends once, paid right, told, audited, and erased") {
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    CAPTURE(seed);
    Plan plan;
    plan.seed = seed;
    const Outcome outcome = run(plan);
    CHECK_MESSAGE(outcome.problems.empty(), plan.command() << lines(outcome.problems));
  }
}

// Each of them found something: a key destroyed by a wrong clock, an attempt that was ordered again
// while it was given up as never ordered.
TEST_CASE("seeds that failed once are right") {
  for (const std::uint64_t seed : {180, 10117, 10419, 10695, 10785, 11039}) {
    Plan plan;
    plan.seed = seed;
    const Outcome outcome = run(plan);
    CHECK_MESSAGE(outcome.problems.empty(), plan.command() << lines(outcome.problems));
  }
}

TEST_CASE("a seed gives the same run again") {
  for (const int machines : {0, 2}) {
    CAPTURE(machines);
    std::string digests[2];
    for (std::string& digest : digests) {
      World world(77, 2, machines);
      world.begin();
      world.live_dangerously(10);
      world.recover();
      for (const auto& status : world.processes[0]->runtime().status()) digest += status.digest;
    }
    CHECK(digests[0] == digests[1]);
  }
}

TEST_CASE("what is left out does not happen, and is drawn all the same") {
  Plan plan;
  plan.seed = 4;
  plan.actions = 15;
  const Outcome all = run(plan);
  REQUIRE(!all.troubles.empty());
  for (const auto& [kind, times] : all.troubles) plan.without.insert(kind);
  const Outcome none = run(plan);
  CHECK(none.troubles.empty());
  CHECK(none.executions == 0);
  CHECK(none.problems.empty());
}

TEST_CASE("a log that forgets what it acknowledged is found, and the story says when") {
  Plan plan;
  plan.with.insert("log forgets");
  int found = 0;
  for (plan.seed = 1; plan.seed <= 6; ++plan.seed) {
    const Outcome outcome = run(plan, true);
    if (outcome.troubles.contains("log forgets")) {
      CHECK(!outcome.problems.empty());
      CHECK(outcome.story.find("log forgets") != std::string::npos);
      ++found;
    } else {
      CHECK_MESSAGE(outcome.problems.empty(), lines(outcome.problems));
    }
  }
  CHECK(found > 0);
}
