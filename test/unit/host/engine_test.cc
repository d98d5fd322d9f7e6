// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "domain/payloads.h"
#include "sealing/payload.h"
#include "sites.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr HostEngine::Route kHere = 1;
constexpr HostEngine::Route kThere = 2;
constexpr OrderAuthority kFirst{0, 1};
constexpr OrderAuthority kSecond{0, 2};
constexpr OrderAuthority kOther{1, 1};

HostEngineOptions roomy() {
  HostEngineOptions options;
  options.slots = 8;
  return options;
}

struct Engine {
  explicit Engine(HostEngineOptions options = roomy())
      : driver(clock, 8, [this](const SandboxSpec& spec) {
          launched.emplace_back(spec.execution, spec.attempt);
          return script;
        }) {
    script.end_after = std::nullopt;
    options.id = HostId::fresh(clock, random);
    options.epoch = 5;
    engine = std::make_unique<HostEngine>(driver, random, std::move(options));
    engine->set_sink([this](HostEngine::Route route, const HostReport& report) {
      reports.emplace_back(route, report);
    });
  }
  ~Engine() {
    engine->fence();
    driver.run_due();
  }
  ExecutionId launch(OrderAuthority by = kFirst, HostEngine::Route route = kHere) {
    const ExecutionId id = orders.execution();
    again(id, by, route);
    return id;
  }
  void again(const ExecutionId& id, OrderAuthority by = kFirst, HostEngine::Route route = kHere,
             std::int64_t host_epoch = 5) {
    engine->launch(route, orders.launch(id, by, host_epoch));
    driver.run_due();
  }
  void finish(const ExecutionId& id, Bytes out = "out") {
    FakeRun end;
    end.out = std::move(out);
    REQUIRE(driver.finish(id, end));
  }
  template <typename T>
  std::size_t count(const ExecutionId& id) const {
    std::size_t found = 0;
    for (const auto& [route, report] : reports) {
      found += report.execution == id && std::holds_alternative<T>(report.what) ? 1 : 0;
    }
    return found;
  }
  std::string refusal(const ExecutionId& id) const {
    for (const auto& [route, report] : reports) {
      const auto* refused = std::get_if<ExecutionRefused>(&report.what);
      if (refused != nullptr && report.execution == id) return refused->reason;
    }
    return "";
  }
  std::size_t launches_of(const ExecutionId& id) const {
    return static_cast<std::size_t>(std::count(launched.begin(), launched.end(), Attempt{id, 1}));
  }

  ManualClock clock;
  SeededRandom random{5};
  Orders orders{clock, random};
  FakeRun script;
  std::vector<Attempt> launched;
  FakeDriver driver;
  std::vector<std::pair<HostEngine::Route, HostReport>> reports;
  std::unique_ptr<HostEngine> engine;
};

}  // namespace

TEST_CASE("engine: a launch runs, is reported, and its result kept until it is acknowledged") {
  Engine e;
  const ExecutionId id = e.orders.execution();
  LaunchOrder order = e.orders.launch(id, kFirst, 5);
  const SecretBytes key = order.key.clone();
  e.engine->launch(kHere, std::move(order));
  e.driver.run_due();
  CHECK(e.count<ExecutionStarted>(id) == 1);
  CHECK(e.engine->counts().running == 1);
  e.finish(id);
  REQUIRE(e.count<ExecutionFinished>(id) == 1);
  const HostReport& report = e.reports.back().second;
  CHECK(report.partition == 0);
  CHECK(report.host == e.engine->info().id);
  const auto& result = std::get<ExecutionFinished>(report.what);
  CHECK(result.host_epoch == 5);
  CHECK(result.verdict == Verdict::ok);
  const auto text = open_inline(key, {"output", "1"}, *result.payload);
  REQUIRE(text.ok());
  CHECK(from_json<ExecutionOutput>(*json::parse(*text))->out.bytes == "out");
  CHECK(e.engine->counts().kept == 1);
  CHECK(e.engine->holds(id, 1));
  e.engine->acknowledge(kHere, kFirst, id, 1);
  CHECK(e.engine->counts().kept == 0);
  CHECK(e.engine->counts().kept_bytes == 0);
  CHECK(!e.engine->holds(id, 1));
}

TEST_CASE("engine: an attempt is launched once, however often it is ordered, and whenever") {
  Engine e;
  const ExecutionId id = e.launch();
  e.again(id);
  e.finish(id);
  e.again(id);
  e.engine->acknowledge(kHere, kFirst, id, 1);
  e.again(id);
  CHECK(e.launches_of(id) == 1);
  CHECK(e.refusal(id).empty());  // a refusal would say that it was never started
  CHECK(e.engine->counts().launches == 1);
}

TEST_CASE("engine: what was refused is refused again, though there is room now") {
  HostEngineOptions options;
  options.slots = 1;
  Engine e(options);
  const ExecutionId first = e.launch();
  const ExecutionId second = e.launch();
  CHECK(e.refusal(second) == "no free slot");
  e.finish(first);
  e.again(second);
  CHECK(e.launches_of(second) == 0);
  CHECK(e.count<ExecutionRefused>(second) == 2);
  const ExecutionId third = e.launch();
  CHECK(e.launches_of(third) == 1);
}

TEST_CASE("engine: what the driver refuses is refused") {
  Engine e;
  e.script.refused = true;
  const ExecutionId id = e.launch();
  CHECK(e.count<ExecutionRefused>(id) == 1);
  e.script.refused = false;
  e.again(id);
  CHECK(e.launches_of(id) == 1);  // when it was refused
  CHECK(e.count<ExecutionRefused>(id) == 2);
  CHECK(e.engine->counts().running == 0);
  CHECK(e.engine->counts().launches == 0);
}

TEST_CASE("engine: orders of an owner that was replaced change nothing") {
  Engine e;
  const ExecutionId running = e.launch(kFirst);
  const ExecutionId kept = e.launch(kFirst);
  e.finish(kept);
  REQUIRE(e.engine->take_over(kThere, kSecond).has_value());
  const std::size_t before = e.reports.size();
  const ExecutionId late = e.launch(kFirst);
  CHECK(e.launches_of(late) == 0);
  CHECK(e.reports.size() == before);  // not even a refusal: its successor may have launched it
  e.engine->cancel(kHere, kFirst, running, 1);
  e.driver.run_due();
  CHECK(e.engine->counts().running == 1);
  e.engine->acknowledge(kHere, kFirst, kept, 1);
  CHECK(e.engine->counts().kept == 1);
  CHECK(!e.engine->take_over(kHere, kFirst).has_value());
  CHECK(e.engine->counts().stale_orders == 4);
  // The successor may do all of it, and other partitions have other owners.
  e.again(late, kSecond, kThere);
  CHECK(e.launches_of(late) == 1);
  e.engine->cancel(kThere, kSecond, running, 1);
  e.driver.run_due();
  CHECK(e.count<ExecutionFinished>(running) == 1);
  e.engine->acknowledge(kThere, kSecond, kept, 1);
  CHECK(!e.engine->holds(kept, 1));
  const ExecutionId elsewhere = e.launch(kOther);
  CHECK(e.launches_of(elsewhere) == 1);
}

TEST_CASE("engine: an order by nobody, for another epoch or past the limits is dropped") {
  Engine e;
  const ExecutionId id = e.orders.execution();
  e.again(id, kFirst, kHere, 4);
  e.again(id, kFirst, kHere, 6);
  e.again(id, {-1, 1});
  e.again(id, {256, 1});
  e.again(id, {0, 0});
  LaunchOrder order = e.orders.launch(id, kFirst, 5);
  order.limits.output_bytes = INT64_MAX;
  e.engine->launch(kHere, std::move(order));
  CHECK(e.launched.empty());
  CHECK(e.reports.empty());
  e.again(id);
  CHECK(e.launches_of(id) == 1);
}

TEST_CASE("engine: an order concerns its own partition only") {
  Engine e;
  const ExecutionId running = e.launch(kFirst);
  const ExecutionId kept = e.launch(kFirst);
  e.finish(kept);
  e.engine->cancel(kThere, kOther, running, 1);
  e.driver.run_due();
  e.engine->acknowledge(kThere, kOther, kept, 1);
  CHECK(e.engine->counts().running == 1);
  CHECK(e.engine->counts().kept == 1);
  CHECK(e.engine->take_over(kThere, kOther)->empty());
}

TEST_CASE("engine: who takes a partition over hears what is held of it, and then its reports") {
  Engine e;
  const ExecutionId running = e.launch(kFirst);
  const ExecutionId kept = e.launch(kFirst);
  const ExecutionId other = e.launch(kOther);
  e.finish(kept);
  const auto held = e.engine->take_over(kThere, kSecond);
  REQUIRE(held.has_value());
  REQUIRE(held->size() == 2);
  for (const HeldAttempt& attempt : *held) {
    CHECK(attempt.execution != other);
    CHECK(attempt.attempt == 1);
    CHECK(attempt.host_epoch == 5);
    CHECK(attempt.kept == (attempt.execution == kept));
  }
  e.reports.clear();
  e.engine->resend(0);
  REQUIRE(e.reports.size() == 2);
  CHECK(e.count<ExecutionStarted>(running) == 1);
  CHECK(e.count<ExecutionFinished>(kept) == 1);
  e.finish(running);
  for (const auto& [route, report] : e.reports) CHECK(route == kThere);
  e.finish(other);
  CHECK(e.reports.back().first == kHere);
}

TEST_CASE("engine: slots that other owners' attempts take are told apart") {
  Engine e;
  e.launch(kFirst, kHere);
  e.launch(kOther, kThere);
  e.launch(kOther, kThere);
  CHECK(e.engine->busy_elsewhere(kHere) == 2);
  CHECK(e.engine->busy_elsewhere(kThere) == 1);
  CHECK(e.engine->busy_elsewhere(9) == 3);
  e.engine->take_over(kThere, kSecond);
  CHECK(e.engine->busy_elsewhere(kThere) == 0);
}

TEST_CASE("engine: a full store of results refuses launches and drops nothing") {
  const std::size_t one = 64 * 1024 / 3 * 8 + 4096;  // of the default output limit
  struct Row {
    const char* what;
    std::size_t results_max;
    std::size_t bytes_max;
  };
  for (const Row& row : {Row{"by count", 2, 100 * one}, Row{"by bytes", 100, 2 * one}}) {
    CAPTURE(row.what);
    HostEngineOptions options;
    options.slots = 8;
    options.kept_results_max = row.results_max;
    options.kept_bytes_max = row.bytes_max;
    Engine e(options);
    // What runs has its place already.
    const ExecutionId first = e.launch();
    const ExecutionId second = e.launch();
    const ExecutionId third = e.launch();
    CHECK(e.refusal(third) == "too many results wait to be applied");
    e.finish(first, Bytes(60'000, 'x'));
    e.finish(second, Bytes(60'000, 'x'));
    CHECK(e.engine->counts().kept == 2);
    if (row.results_max == 2) {
      const ExecutionId fourth = e.launch();
      CHECK(e.refusal(fourth) == "too many results wait to be applied");
    }
    e.engine->acknowledge(kHere, kFirst, first, 1);
    e.engine->acknowledge(kHere, kFirst, second, 1);
    const ExecutionId fifth = e.launch();
    CHECK(e.launches_of(fifth) == 1);
  }
}

TEST_CASE("engine: a fence ends what runs without a word; what had finished stays") {
  Engine e;
  const ExecutionId running = e.launch();
  const ExecutionId kept = e.launch();
  e.finish(kept);
  e.reports.clear();
  e.engine->fence();
  e.engine->resend(0);
  e.driver.run_due();
  CHECK(e.engine->counts().running == 0);
  CHECK(e.engine->counts().discarded == 1);
  CHECK(e.count<ExecutionStarted>(running) == 0);
  CHECK(e.count<ExecutionFinished>(running) == 0);
  CHECK(e.engine->kept(kept, 1).has_value());
  const ExecutionId early = e.launch();
  CHECK(e.launches_of(early) == 0);
  e.engine->begin_epoch(6);
  CHECK(e.engine->info().epoch == 6);
  const ExecutionId old = e.launch();  // ordered for epoch 5
  CHECK(e.launches_of(old) == 0);
  const ExecutionId fresh = e.orders.execution();
  e.again(fresh, kFirst, kHere, 6);
  CHECK(e.launches_of(fresh) == 1);
  // Results keep the epoch in which they came to be.
  const auto taken = e.engine->take_over(kHere, kFirst);
  REQUIRE(taken.has_value());
  for (const HeldAttempt& held : *taken) {
    CHECK(held.host_epoch == (held.execution == kept ? 5 : 6));
  }
}

TEST_CASE("engine: a host that drains refuses, and ends what it has") {
  Engine e;
  const ExecutionId running = e.launch();
  e.engine->drain();
  const ExecutionId late = e.launch();
  CHECK(e.refusal(late) == "the host is about to end");
  e.finish(running);
  CHECK(e.count<ExecutionFinished>(running) == 1);
}

TEST_CASE("engine: an input that nobody can read ends as an internal error") {
  Engine e;
  const ExecutionId id = e.orders.execution();
  LaunchOrder order = e.orders.launch(id, kFirst, 5);
  SUBCASE("another key") {
    order.key = SecretBytes::random(32, e.random);
  }
  SUBCASE("a language that is not here") {
    order.language = "cobol";
  }
  e.engine->launch(kHere, std::move(order));
  REQUIRE(e.count<ExecutionFinished>(id) == 1);
  const auto& result = std::get<ExecutionFinished>(e.reports.back().second.what);
  CHECK(result.verdict == Verdict::internal_error);
  CHECK(e.launched.empty());
  CHECK(e.engine->counts().running == 0);
}

TEST_CASE("engine: a cancel ends a program, also one that has not begun yet") {
  Engine e;
  e.script.start_after = Millis{100};
  const ExecutionId id = e.launch();
  e.engine->cancel(kHere, kFirst, id, 1);
  e.driver.run_due();
  REQUIRE(e.count<ExecutionFinished>(id) == 1);
  CHECK(std::get<ExecutionFinished>(e.reports.back().second.what).verdict == Verdict::cancelled);
}
