// SPDX-License-Identifier: Apache-2.0
#include "send_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"

using namespace sandtrail;

namespace {

struct Started {
  void submit(const OrgId& from, const std::string& host, int number) {
    queue.submit(from, host,
                 [this, host, number] { order.push_back(host + std::to_string(number)); });
  }
  std::size_t of(const std::string& host) const {
    return static_cast<std::size_t>(
        std::count_if(order.begin(), order.end(),
                      [&](const std::string& name) { return name.starts_with(host); }));
  }
  ManualClock clock;
  SeededRandom random{1};
  OrgId org = OrgId::fresh(clock, random);
  OrgId other = OrgId::fresh(clock, random);
  SendQueue queue;
  std::vector<std::string> order;
};

constexpr int kPerHost = static_cast<int>(limits::kWebhookInFlightPerHostMax);
constexpr int kPerOrg = static_cast<int>(limits::kWebhookInFlightPerOrgMax);
constexpr int kAll = static_cast<int>(limits::kWebhookInFlightMax);

}  // namespace

TEST_CASE("a host that doesn't answer holds up only itself") {
  Started started;
  for (int i = 0; i < 3 * kPerHost; ++i) started.submit(started.org, "slow", i);
  CHECK(started.of("slow") == limits::kWebhookInFlightPerHostMax);
  started.submit(started.org, "quick", 0);
  CHECK(started.of("quick") == 1);
}

TEST_CASE("an organisation with many slow hosts holds up only itself") {
  Started started;
  for (int i = 0; i < 2 * kAll; ++i) started.submit(started.org, "slow" + std::to_string(i), i);
  CHECK(started.of("slow") == limits::kWebhookInFlightPerOrgMax);
  started.submit(started.other, "quick", 0);
  CHECK(started.of("quick") == 1);
}

TEST_CASE("what waits starts in order when there is room, and only then") {
  Started started;
  for (int i = 0; i < kPerHost + 2; ++i) started.submit(started.org, "a", i);
  started.queue.finished(started.org, "a");
  CHECK(started.order.size() == limits::kWebhookInFlightPerHostMax + 1);
  CHECK(started.order.back() == "a" + std::to_string(kPerHost));
  started.queue.finished(started.org, "a");
  CHECK(started.order.back() == "a" + std::to_string(kPerHost + 1));
}

TEST_CASE("all together are bounded, and room goes to who has the least") {
  Started started;
  std::vector<OrgId> many;
  for (int i = 0; i < kAll / kPerOrg; ++i) {
    many.push_back(OrgId::fresh(started.clock, started.random));
    for (int k = 0; k < kPerOrg + 1; ++k) {
      started.submit(many.back(), "host" + std::to_string(i) + "." + std::to_string(k) + "/", k);
    }
  }
  CHECK(started.order.size() == limits::kWebhookInFlightMax);
  started.submit(started.other, "late", 0);
  CHECK(started.of("late") == 0);
  started.queue.finished(many.front(), "host0.0/");
  CHECK(started.order.back() == "late0");
}

TEST_CASE("a task that ends at once makes room for the next, however many wait") {
  Started started;
  int ran = 0;
  for (int i = 0; i < 10'000; ++i) {
    started.queue.submit(started.org, "a", [&] {
      ++ran;
      started.queue.finished(started.org, "a");
    });
  }
  CHECK(ran == 10'000);
}
