// SPDX-License-Identifier: Apache-2.0
// The contract of OutputSource, over the hub itself and over the data plane.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr auto kOut = OutputStream::out;
constexpr auto kErr = OutputStream::err;

}  // namespace

#define SOURCES LocalHarness, RemoteHarness

TEST_CASE_TEMPLATE("a follower gets what there is, then what comes, then the end", H, SOURCES) {
  H harness;
  Watch watch;
  harness.begin();
  harness.write(kOut, 0, "one ");
  harness.write(kErr, 0, "warn");
  const auto subscription = harness.source().follow(harness.target(1), {}, watch.sink());
  CHECK(watch.wait_for(kOut, "one "));
  CHECK(watch.wait_for(kErr, "warn"));
  harness.write(kOut, 4, "two");
  CHECK(watch.wait_for(kOut, "one two"));
  CHECK_FALSE(watch.end());
  harness.end();
  CHECK(watch.wait_end(OutputEnd::over));
  CHECK(watch.gapless());
  CHECK(watch.cuts() == "");
}

TEST_CASE_TEMPLATE("a follower from offsets gets the rest of each stream", H, SOURCES) {
  H harness;
  const OutputOffsets from{4, 2};
  Watch watch(from);
  harness.begin();
  harness.write(kOut, 0, "one two");
  const auto subscription = harness.source().follow(harness.target(1), from, watch.sink());
  CHECK(watch.wait_for(kOut, "two"));
  harness.write(kErr, 0, "x");
  harness.write(kErr, 1, "yz");
  CHECK(watch.wait_for(kErr, "z"));
  harness.end();
  CHECK(watch.wait_end(OutputEnd::over));
  CHECK(watch.gapless());
}

TEST_CASE_TEMPLATE("an attempt that did not begin, or has ended, is unknown", H, SOURCES) {
  H harness;
  Watch before, other, after;
  const auto first = harness.source().follow(harness.target(1), {}, before.sink());
  CHECK(before.wait_end(OutputEnd::unknown));
  harness.begin();
  const auto second = harness.source().follow(harness.target(2), {}, other.sink());
  CHECK(other.wait_end(OutputEnd::unknown));
  harness.write(kOut, 0, "gone");
  harness.end();
  const auto third = harness.source().follow(harness.target(1), {}, after.sink());
  CHECK(after.wait_end(OutputEnd::unknown));
  CHECK(after.bytes(kOut) == "");
}

TEST_CASE_TEMPLATE("going past the cap is told once, to early and late followers", H, SOURCES) {
  H harness;
  Watch early, late(OutputOffsets{3, 0});
  harness.begin();
  const auto first = harness.source().follow(harness.target(1), {}, early.sink());
  harness.write(kOut, 0, "abc");
  harness.write(kOut, 3, "");
  CHECK(early.wait([&] { return early.cuts() == "stdout:cap "; }));
  const auto second = harness.source().follow(harness.target(1), {3, 0}, late.sink());
  CHECK(late.wait([&] { return late.cuts() == "stdout:cap "; }));
  harness.write(kErr, 0, "on");
  CHECK(early.wait_for(kErr, "on"));
  CHECK(late.wait_for(kErr, "on"));
  harness.end();
  CHECK(early.wait_end(OutputEnd::over));
  CHECK(late.wait_end(OutputEnd::over));
  CHECK(early.cuts() == "stdout:cap ");
  CHECK(early.bytes(kOut) == "abc");
  CHECK(late.bytes(kOut) == "");
}

TEST_CASE_TEMPLATE("what the host has no room for is told, and the other attempts go on", H,
                   SOURCES) {
  H harness(OutputHubOptions{10, 8});
  Watch watch;
  harness.begin();
  const auto subscription = harness.source().follow(harness.target(1), {}, watch.sink());
  harness.write(kOut, 0, "12345678");
  harness.write(kOut, 8, "901");
  harness.write(kOut, 11, "2");  // a hole would follow: nothing more of it is kept
  harness.write(kErr, 0, "ok");
  CHECK(watch.wait_for(kErr, "ok"));
  CHECK(watch.wait([&] { return watch.cuts() == "stdout:memory "; }));
  CHECK(watch.bytes(kOut) == "12345678");
  harness.end();
  CHECK(watch.wait_end(OutputEnd::over));
  CHECK(harness.hub.bytes() == 0);
}

TEST_CASE_TEMPLATE("bytes are any bytes, and as much as is kept comes at once", H, SOURCES) {
  H harness;
  Bytes all(static_cast<std::size_t>(limits::kOutputBytesMax), '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i * 7 % 256);
  harness.begin();
  harness.write(kOut, 0, all);
  harness.write(kErr, 0, all);
  Watch watch;
  const auto subscription = harness.source().follow(harness.target(1), {}, watch.sink());
  CHECK(watch.wait([&] { return watch.bytes(kErr).size() == all.size(); }));
  CHECK(watch.bytes(kOut) == all);
  CHECK(watch.bytes(kErr) == all);
  CHECK(watch.gapless());
}

TEST_CASE_TEMPLATE("a dropped subscription hears no more, and the host forgets it", H, SOURCES) {
  H harness;
  Watch dropped, kept;
  harness.begin();
  auto first = harness.source().follow(harness.target(1), {}, dropped.sink());
  const auto second = harness.source().follow(harness.target(1), {}, kept.sink());
  harness.write(kOut, 0, "a");
  CHECK(dropped.wait_for(kOut, "a"));
  first.reset();
  CHECK(kept.wait([&] { return harness.hub.followers() == 1; }));
  harness.write(kOut, 1, "b");
  CHECK(kept.wait_for(kOut, "ab"));
  harness.end();
  CHECK(kept.wait_end(OutputEnd::over));
  CHECK(dropped.bytes(kOut) == "a");
  CHECK_FALSE(dropped.end());
  CHECK(kept.wait([&] { return harness.hub.followers() == 0; }));
}

TEST_CASE_TEMPLATE("one follower too many is turned away, and there is room again after one", H,
                   SOURCES) {
  H harness(OutputHubOptions{100, 2});
  Watch first, second, third, fourth;
  harness.begin();
  const auto a = harness.source().follow(harness.target(1), {}, first.sink());
  auto b = harness.source().follow(harness.target(1), {}, second.sink());
  CHECK(first.wait([&] { return harness.hub.followers() == 2; }));
  const auto c = harness.source().follow(harness.target(1), {}, third.sink());
  CHECK(third.wait_end(OutputEnd::overloaded));
  b.reset();
  CHECK(first.wait([&] { return harness.hub.followers() == 1; }));
  const auto d = harness.source().follow(harness.target(1), {}, fourth.sink());
  harness.write(kOut, 0, "x");
  CHECK(fourth.wait_for(kOut, "x"));
}

TEST_CASE_TEMPLATE("followers that come and go at any time miss nothing", H, SOURCES) {
  H harness;
  constexpr int kPieces = 400;
  harness.begin();
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<std::unique_ptr<OutputSubscription>> subscriptions;
  std::thread writer([&] {
    for (int i = 0; i < kPieces; ++i) {
      harness.write(kOut, i * 3, "abc");
      harness.write(kErr, i, "x");
    }
    harness.end();
  });
  for (int i = 0; i < 20; ++i) {
    watches.push_back(std::make_unique<Watch>());
    subscriptions.push_back(harness.source().follow(harness.target(1), {}, watches.back()->sink()));
    if (i % 3 == 0) subscriptions.back().reset();
  }
  writer.join();
  for (std::size_t i = 0; i < watches.size(); ++i) {
    CHECK(watches[i]->gapless());
    if (!subscriptions[i]) continue;
    REQUIRE(watches[i]->wait([&] { return watches[i]->end().has_value(); }));
    if (watches[i]->end() == OutputEnd::unknown) continue;  // it came after the end
    CHECK(watches[i]->end() == OutputEnd::over);
    CHECK(watches[i]->bytes(kOut).size() == 3 * kPieces);
    CHECK(watches[i]->bytes(kErr).size() == kPieces);
  }
  subscriptions.clear();
}
