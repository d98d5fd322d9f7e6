// SPDX-License-Identifier: Apache-2.0
#include "send_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace sandtrail;

namespace {

struct Started {
  void submit(const std::string& host, int number) {
    queue.submit(host, [this, host, number] { order.push_back(host + std::to_string(number)); });
  }
  std::size_t of(const std::string& host) const {
    std::size_t count = 0;
    for (const std::string& name : order) count += name.starts_with(host) ? 1 : 0;
    return count;
  }
  SendQueue queue;
  std::vector<std::string> order;
};

constexpr int kPerHost = static_cast<int>(limits::kWebhookInFlightPerHostMax);
constexpr int kAll = static_cast<int>(limits::kWebhookInFlightMax);

}  // namespace

TEST_CASE("a host that doesn't answer holds up only itself") {
  Started started;
  for (int i = 0; i < 3 * kPerHost; ++i) started.submit("slow", i);
  CHECK(started.of("slow") == limits::kWebhookInFlightPerHostMax);
  started.submit("quick", 0);
  CHECK(started.of("quick") == 1);
}

TEST_CASE("what waits starts in order when there is room, and only then") {
  Started started;
  for (int i = 0; i < kPerHost + 2; ++i) started.submit("a", i);
  started.queue.finished("a");
  CHECK(started.order.size() == limits::kWebhookInFlightPerHostMax + 1);
  CHECK(started.order.back() == "a" + std::to_string(kPerHost));
  started.queue.finished("a");
  CHECK(started.order.back() == "a" + std::to_string(kPerHost + 1));
}

TEST_CASE("all hosts together are bounded too") {
  Started started;
  for (int i = 0; i < kAll + 5; ++i) started.submit("host" + std::to_string(i) + "/", i);
  CHECK(started.order.size() == limits::kWebhookInFlightMax);
  started.queue.finished("host0/");
  CHECK(started.order.size() == limits::kWebhookInFlightMax + 1);
}

TEST_CASE("a task that ends at once makes room for the next, however many wait") {
  SendQueue queue;
  int ran = 0;
  for (int i = 0; i < 10'000; ++i) {
    queue.submit("a", [&] {
      ++ran;
      queue.finished("a");
    });
  }
  CHECK(ran == 10'000);
}
