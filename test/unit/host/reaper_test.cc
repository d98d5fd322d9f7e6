// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "host/host_reaper.h"
#include "sandbox/fake_driver.h"

using namespace sandtrail;

namespace {

struct Left {
  Left() {
    SandboxSpec spec;
    spec.execution = ExecutionId::fresh(clock, random);
    spec.stages = {{"run", {"true"}, false}};
    REQUIRE(driver.launch(spec, {}).ok());
    driver.crash();
    REQUIRE(driver.list_owned().size() == 1);
  }
  ManualClock clock;
  SeededRandom random{1};
  FakeDriver driver{clock, 4, [](const SandboxSpec&) { return FakeRun{}; }};
};

}  // namespace

TEST_CASE("reaper: at the start everything there is, is left over") {
  Left left;
  HostReaper reaper(left.driver);
  CHECK(reaper.reap_all().ok());
  CHECK(left.driver.list_owned().empty());
  CHECK(reaper.reaped() == 1);
}

TEST_CASE("reaper: later only what stood there the last time already") {
  Left left;
  HostReaper reaper(left.driver);
  reaper.pass();
  CHECK(left.driver.list_owned().size() == 1);
  reaper.pass();
  CHECK(left.driver.list_owned().empty());
  CHECK(reaper.reaped() == 1);
  reaper.pass();
  CHECK(reaper.reaped() == 1);
}
