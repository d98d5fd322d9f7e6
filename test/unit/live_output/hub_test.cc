// SPDX-License-Identifier: Apache-2.0
// What the contract does not show of the hub: bounds, threads, and calls from within calls.
#include "live_output/output_hub.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace sandtrail;

namespace {

constexpr auto kOut = OutputStream::out;
const ExecutionId kExecution = ExecutionId::derived("0123456789abcdef");

OutputSink ignoring() {
  OutputSink sink;
  sink.on_bytes = [](OutputStream, std::int64_t, BytesView) {};
  sink.on_cut = [](OutputStream, OutputCut) {};
  sink.on_end = [](OutputEnd) {};
  return sink;
}

}  // namespace

TEST_CASE("the room of an ended attempt is free for others") {
  OutputHub hub({10, 8});
  hub.begin(kExecution, 1);
  hub.write(kExecution, 1, kOut, 0, "1234567890");
  hub.begin(kExecution, 2);
  hub.write(kExecution, 2, kOut, 0, "x");
  CHECK(hub.bytes() == 10);
  hub.end(kExecution, 1);
  CHECK(hub.bytes() == 0);
  hub.begin(kExecution, 3);
  hub.write(kExecution, 3, kOut, 0, "1234567890");
  CHECK(hub.bytes() == 10);
}

TEST_CASE("calls for an attempt that does not run change nothing") {
  OutputHub hub;
  hub.write(kExecution, 1, kOut, 0, "x");
  hub.end(kExecution, 1);
  hub.begin(kExecution, 1);
  hub.write(kExecution, 1, kOut, 0, "x");
  hub.begin(kExecution, 1);
  CHECK(hub.bytes() == 1);
  hub.end(kExecution, 1);
  hub.end(kExecution, 1);
  CHECK(hub.bytes() == 0);
}

TEST_CASE("a slow follower holds up nobody, and gets what came meanwhile in one piece") {
  OutputHub hub;
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false;
  bool leave = false;
  std::string pieces;
  auto sink = ignoring();
  sink.on_bytes = [&](OutputStream, std::int64_t, BytesView bytes) {
    std::unique_lock lock(mutex);
    pieces += std::string(bytes) + "|";
    entered = true;
    changed.notify_all();
    changed.wait(lock, [&] { return leave; });
  };
  hub.begin(kExecution, 1);
  const auto subscription = hub.follow({kExecution, 1, ""}, {}, std::move(sink));
  std::thread slow([&] { hub.write(kExecution, 1, kOut, 0, "a"); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
  hub.write(kExecution, 1, kOut, 1, "b");
  hub.write(kExecution, 1, kOut, 2, "c");
  hub.end(kExecution, 1);
  {
    const std::lock_guard lock(mutex);
    leave = true;
    changed.notify_all();
  }
  slow.join();
  CHECK(pieces == "a|bc|");
  CHECK(hub.followers() == 0);
}

TEST_CASE("a follower may drop its subscription, and follow anew, from within a call") {
  OutputHub hub;
  std::unique_ptr<OutputSubscription> first, second;
  std::string seen;
  hub.begin(kExecution, 1);
  auto sink = ignoring();
  sink.on_bytes = [&](OutputStream, std::int64_t, BytesView bytes) {
    seen += "1:" + std::string(bytes) + " ";
    auto other = ignoring();
    other.on_bytes = [&](OutputStream, std::int64_t, BytesView more) {
      seen += "2:" + std::string(more) + " ";
    };
    first.reset();
    second = hub.follow({kExecution, 1, ""}, {1, 0}, std::move(other));
  };
  first = hub.follow({kExecution, 1, ""}, {}, std::move(sink));
  hub.write(kExecution, 1, kOut, 0, "a");
  hub.write(kExecution, 1, kOut, 1, "b");
  CHECK(seen == "1:a 2:b ");
  CHECK(hub.followers() == 1);
}

TEST_CASE("large output comes in pieces that fit an event") {
  OutputHub hub;
  std::size_t largest = 0;
  std::size_t all = 0;
  auto sink = ignoring();
  sink.on_bytes = [&](OutputStream, std::int64_t, BytesView bytes) {
    largest = std::max(largest, bytes.size());
    all += bytes.size();
  };
  hub.begin(kExecution, 1);
  hub.write(kExecution, 1, kOut, 0, Bytes(200'000, 'x'));
  const auto subscription = hub.follow({kExecution, 1, ""}, {}, std::move(sink));
  CHECK(all == 200'000);
  CHECK(largest == limits::kLiveChunkBytesMax);
}

TEST_CASE("a subscription may outlive the hub") {
  auto hub = std::make_unique<OutputHub>();
  hub->begin(kExecution, 1);
  auto subscription = hub->follow({kExecution, 1, ""}, {}, ignoring());
  hub.reset();
  subscription.reset();
}

TEST_CASE("targets go to the source that reaches them, or are broken") {
  OutputHub here, there;
  here.begin(kExecution, 1);
  there.begin(kExecution, 1);
  const auto end_of = [](OutputSource& source, const std::string& address) {
    std::optional<OutputEnd> end;
    auto sink = ignoring();
    sink.on_end = [&](OutputEnd given) { end = given; };
    const auto subscription = source.follow({kExecution, 1, address}, {}, std::move(sink));
    return end;
  };
  RoutedOutputSource both(&here, &there);
  CHECK_FALSE(end_of(both, "").has_value());
  here.end(kExecution, 1);
  CHECK(end_of(both, "") == OutputEnd::unknown);
  CHECK_FALSE(end_of(both, "host:1").has_value());
  RoutedOutputSource none(nullptr, nullptr);
  CHECK(end_of(none, "") == OutputEnd::broken);
  CHECK(end_of(none, "host:1") == OutputEnd::broken);
}
