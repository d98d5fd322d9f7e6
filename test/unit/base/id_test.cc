// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

#include <doctest/doctest.h>

using namespace sandtrail;

TEST_CASE("ids: text and back, prefix and length are exact") {
  ManualClock clock;
  SeededRandom random(7);
  const auto id = ExecutionId::fresh(clock, random);
  CHECK(id.text().size() == 30);
  CHECK(id.text().starts_with("exe_"));
  CHECK(ExecutionId::parse(id.text()) == id);
  CHECK(id.time() == clock.now());
  CHECK_FALSE(OrgId::parse(id.text()).has_value());
  CHECK_FALSE(ExecutionId::parse(id.text() + "0").has_value());
  CHECK_FALSE(ExecutionId::parse("exe_").has_value());
  CHECK(ExecutionId{}.nil());
}

TEST_CASE("ids: later ones sort later, as values and as text") {
  ManualClock clock;
  SeededRandom random(7);
  auto previous = EventId::fresh(clock, random);
  for (int i = 0; i < 100; ++i) {
    clock.advance({1});
    const auto next = EventId::fresh(clock, random);
    CHECK(previous.view() < next.view());
    CHECK(previous.text() < next.text());
    CHECK(previous < next);
    previous = next;
  }
}

TEST_CASE("ids: values compare as their bytes do, also above 0x7f") {
  const auto low = EventId::derived(Bytes(16, '\x01'));
  const auto high = EventId::derived(Bytes(16, '\xff'));
  CHECK(low < high);
  CHECK(low.text() < high.text());
}

TEST_CASE("random: bounds hold and every value is reached") {
  SeededRandom random(3);
  int seen[7] = {};
  for (int i = 0; i < 7000; ++i) ++seen[random.below(7)];
  for (const int count : seen) CHECK(count > 700);
  SystemRandom system;
  CHECK(system.bytes(32) != system.bytes(32));
}
