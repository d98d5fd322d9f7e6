// SPDX-License-Identifier: Apache-2.0
// Whole installations by seed, among faults of every kind.
//   SANDTRAIL_SIM_SEED=n  the first seed; alone: only that one
//   SANDTRAIL_SIM_RUNS=n  how many
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

constexpr std::uint64_t kRunsDefault = 12;
constexpr int kActions = 60;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

}  // namespace

TEST_CASE("whatever happens, every execution ends once, paid right, audited, and erased if due") {
  const bool one = std::getenv("SANDTRAIL_SIM_SEED") != nullptr;
  const std::uint64_t first = number_from("SANDTRAIL_SIM_SEED", 1);
  const std::uint64_t runs = number_from("SANDTRAIL_SIM_RUNS", one ? 1 : kRunsDefault);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    CAPTURE(seed);
    World world(seed, seed % 2 == 0 ? 1 : 2);
    world.begin();
    world.live_dangerously(kActions);
    world.recover();
    if (world.shared.problems.none()) world.check();
    CHECK_MESSAGE(world.shared.problems.none(),
                  "SANDTRAIL_SIM_SEED=" << seed << world.shared.problems.text());
    if (one) {
      std::string troubles;
      for (const auto& [what, times] : world.troubles) {
        troubles += what + " " + std::to_string(times) + ", ";
      }
      MESSAGE(troubles << world.shared.checkers->executions().size() << " executions, "
                       << world.shared.checkers->launches() << " launches");
    }
  }
}

TEST_CASE("the same with hosts on machines of their own, which die, stop and are cut off") {
  const bool one = std::getenv("SANDTRAIL_SIM_SEED") != nullptr;
  const std::uint64_t first = number_from("SANDTRAIL_SIM_SEED", 101);
  const std::uint64_t runs = number_from("SANDTRAIL_SIM_RUNS", one ? 1 : kRunsDefault);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    CAPTURE(seed);
    World world(seed, seed % 3 == 0 ? 1 : 2, 1 + static_cast<int>(seed % 3));
    world.begin();
    world.live_dangerously(kActions);
    world.recover();
    if (world.shared.problems.none()) world.check();
    CHECK_MESSAGE(world.shared.problems.none(),
                  "SANDTRAIL_SIM_SEED=" << seed << world.shared.problems.text());
    if (one) {
      std::string troubles;
      for (const auto& [what, times] : world.troubles) {
        troubles += what + " " + std::to_string(times) + ", ";
      }
      MESSAGE(troubles << world.shared.checkers->executions().size() << " executions, "
                       << world.shared.checkers->launches() << " launches");
    }
  }
}

TEST_CASE("a seed gives the same run again") {
  std::string digests[2];
  for (std::string& digest : digests) {
    World world(77, 2);
    world.begin();
    world.live_dangerously(10);
    world.recover();
    for (const auto& status : world.processes[0]->runtime().status()) digest += status.digest;
  }
  CHECK(digests[0] == digests[1]);
}
