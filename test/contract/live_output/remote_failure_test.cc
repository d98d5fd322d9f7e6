// SPDX-License-Identifier: Apache-2.0
// What becomes of a follower when the host, or the way to it, fails.
#include <doctest/doctest.h>

#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

TEST_CASE("a host that goes away in mid-stream ends it as broken") {
  RemoteHarness harness;
  Watch watch;
  harness.begin();
  harness.write(OutputStream::out, 0, "so far");
  const auto subscription = harness.source().follow(harness.target(1), {}, watch.sink());
  CHECK(watch.wait_for(OutputStream::out, "so far"));
  harness.stop_server();
  CHECK(watch.wait_end(OutputEnd::broken));
  CHECK(watch.wait([&] { return harness.hub.followers() == 0; }));
}

TEST_CASE("a host that nobody answers for is broken") {
  RemoteHarness harness;
  const OutputTarget target = harness.target(1);
  harness.stop_server();
  Watch watch;
  const auto subscription = harness.source().follow(target, {}, watch.sink());
  CHECK(watch.wait_end(OutputEnd::broken));
}

TEST_CASE("a host that falls silent is broken") {
  RemoteHarness harness({}, hours(1), Millis{100});
  Watch watch;
  harness.begin();
  harness.write(OutputStream::out, 0, "so far");
  const auto subscription = harness.source().follow(harness.target(1), {}, watch.sink());
  CHECK(watch.wait_for(OutputStream::out, "so far"));
  CHECK(watch.wait_end(OutputEnd::broken));
}

TEST_CASE("a follower whose end goes away is forgotten by the host") {
  auto harness = std::make_unique<RemoteHarness>();
  Watch watch;
  harness->begin();
  auto subscription = harness->source().follow(harness->target(1), {}, watch.sink());
  CHECK(watch.wait([&] { return harness->endpoint().open() == 1; }));
  subscription.reset();
  CHECK(watch.wait([&] { return harness->endpoint().open() == 0; }));
  CHECK(harness->hub.followers() == 0);
}
