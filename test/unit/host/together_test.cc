// SPDX-License-Identifier: Apache-2.0
// Launchers and hosts speaking to each other, while either dies, stops, is cut off or replaced.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "sites.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// One host, joined to launchers of which the first owns partition 0.
struct Joined : Sites {
  explicit Joined(int launcher_count = 1, int slots = 4) : Sites(launcher_count, 1, slots) {
    pass(Millis{500});
    launcher(0).own(0, 1);
    pass(Millis{200});
    REQUIRE(host().agent->connected() == static_cast<std::size_t>(launcher_count));
  }
  std::shared_ptr<Host> there(std::size_t i = 0) { return launcher(i).host(host().id); }
  ExecutionId launch(std::size_t from = 0, std::int32_t partition = 0) {
    const ExecutionId id = orders.execution();
    launch_again(id, from, partition);
    return id;
  }
  void launch_again(const ExecutionId& id, std::size_t from = 0, std::int32_t partition = 0) {
    const auto remote = there(from);
    REQUIRE(remote != nullptr);
    remote->launch(orders.launch(id, launcher(from).authority(partition), remote->info().epoch));
    pass(Millis{200});
  }
  Holding holding(const ExecutionId& id, std::size_t i = 0) {
    const auto remote = there(i);
    return remote == nullptr ? Holding::unknown : remote->holding(0, id, 1);
  }
  std::size_t launches_of(const ExecutionId& id) {
    const auto& all = host().launches;
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), Attempt{id, 1}));
  }
};

}  // namespace

TEST_CASE("together: a launch goes to the host, and its result back until it is acknowledged") {
  Joined t;
  const ExecutionId id = t.launch();
  CHECK(t.launches_of(id) == 1);
  CHECK(t.launcher().heard("started", id) == 1);
  CHECK(t.holding(id) == Holding::yes);
  t.host().end_all();
  t.pass(Millis{200});
  REQUIRE(t.launcher().heard("finished", id) == 1);
  const HostReport& report = t.launcher().reports.back();
  CHECK(report.host == t.host().id);
  CHECK(report.partition == 0);
  CHECK(t.holding(id) == Holding::yes);
  CHECK(t.host().engine->counts().kept == 1);
  t.there()->acknowledge(t.launcher().authority(0), id, 1);
  t.pass(Millis{200});
  CHECK(t.host().engine->counts().kept == 0);
  CHECK(t.holding(id) == Holding::no);
}

TEST_CASE("together: a cancel reaches the program") {
  Joined t;
  const ExecutionId id = t.launch();
  t.there()->cancel(t.launcher().authority(0), id, 1);
  t.pass(Millis{300});
  REQUIRE(t.launcher().heard("finished", id) == 1);
  CHECK(std::get<ExecutionFinished>(t.launcher().reports.back().what).verdict ==
        Verdict::cancelled);
}

TEST_CASE("together: a host serves several launchers, and each hears of its own") {
  Joined t(2);
  t.launcher(1).own(1, 1);
  t.pass(Millis{200});
  const ExecutionId first = t.launch(0, 0);
  const ExecutionId second = t.launch(1, 1);
  t.pass(Millis{200});
  CHECK(t.launcher(0).heard("started", first) == 1);
  CHECK(t.launcher(0).heard("started", second) == 0);
  CHECK(t.launcher(1).heard("started", second) == 1);
  t.pass(seconds(3));
  CHECK(t.there(0)->room() == 3);
  CHECK(t.there(1)->room() == 3);
  t.host().end_all();
  t.pass(Millis{200});
  CHECK(t.launcher(0).heard("finished", first) == 1);
  CHECK(t.launcher(1).heard("finished", second) == 1);
}

TEST_CASE("together: a launcher hears at once that a full host has room again") {
  Joined t(2, 2);
  t.launcher(1).own(1, 1);
  t.launch(0, 0);
  t.launch(0, 0);
  t.pass(Millis{200});
  CHECK(t.there(1)->room() == 0);
  const ExecutionId late = t.launch(1, 1);
  CHECK(t.launcher(1).heard("refused", late) == 1);
  CHECK(t.there(1)->holding(1, late, 1) == Holding::no);
  t.host().end_all();
  t.pass(Millis{200});  // far less than a heartbeat
  CHECK(t.there(1)->room() == 2);
}

TEST_CASE("together: a successor learns what the host holds, and gets what it kept") {
  Joined t(2);
  const ExecutionId running = t.launch();
  const ExecutionId kept = t.launch();
  FakeRun end;
  t.host().driver.finish(kept, end);
  t.pass(Millis{200});
  t.kill_launcher(0);
  t.pass(seconds(1));
  CHECK(t.holding(running, 1) == Holding::unknown);
  t.launcher(1).own(0, 2);
  CHECK(t.holding(running, 1) == Holding::unknown);
  t.pass(Millis{200});
  CHECK(t.holding(running, 1) == Holding::yes);
  CHECK(t.holding(kept, 1) == Holding::yes);
  CHECK(t.holding(t.orders.execution(), 1) == Holding::no);
  CHECK(t.launcher(1).told.size() >= 1);
  CHECK(t.launcher(1).heard("started", running) == 1);
  CHECK(t.launcher(1).heard("finished", kept) == 1);
  t.there(1)->acknowledge(t.launcher(1).authority(0), kept, 1);
  t.host().end_all();
  t.pass(Millis{200});
  CHECK(t.launcher(1).heard("finished", running) == 1);
  CHECK(t.host().engine->counts().kept == 1);
  // The other launcher has renewed it all the time.
  CHECK(t.host().epoch() == 1);
}

TEST_CASE("together: a launcher that was replaced starts and takes away nothing") {
  Joined t(2);
  const ExecutionId over = t.launch();
  t.host().end_all();
  t.pass(Millis{200});
  t.launcher(1).own(0, 2);
  t.pass(Millis{200});
  const ExecutionId kept = t.launch(1, 0);
  t.host().end_all();
  t.pass(Millis{200});
  t.there(1)->acknowledge({0, 2}, over, 1);  // applied, and forgotten by the host
  t.pass(Millis{200});
  t.launch_again(over, 0);
  const ExecutionId late = t.launch(0);
  CHECK(t.launches_of(over) == 1);
  CHECK(t.launches_of(late) == 0);
  CHECK(t.launcher(0).heard("refused", late) == 0);
  t.there(0)->acknowledge({0, 1}, kept, 1);
  t.pass(Millis{200});
  CHECK(t.host().engine->counts().kept == 1);
}

TEST_CASE("together: a launcher that starts anew finds its host, and what it kept") {
  Joined t;
  const ExecutionId id = t.launch();
  t.kill_launcher(0);
  t.pass(seconds(2));
  t.host().end_all();
  t.pass(seconds(2));
  t.start_launcher(0);
  t.pass(seconds(6));
  REQUIRE(t.there() != nullptr);
  t.launcher().own(0, 2);
  t.pass(Millis{300});
  CHECK(t.launcher().heard("finished", id) == 1);
  CHECK(t.host().epoch() == 1);
}

TEST_CASE(
    "together: a host that nobody renews ends what it runs, and comes back under a new epoch") {
  Joined t;
  const ExecutionId kept = t.launch();
  t.host().end_all();
  t.pass(Millis{100});
  const ExecutionId running = t.launch();
  t.cut(0, 0, true);
  t.pass(seconds(8));
  CHECK(t.host().engine->counts().running == 1);
  t.pass(seconds(4));
  CHECK(t.host().engine->counts().running == 0);
  CHECK(t.host().epoch() == 2);
  CHECK(t.host().epochs_taken == 2);
  CHECK(t.there() != nullptr);  // not lapsed yet: a host gives up earlier than its launcher
  t.pass(seconds(5));
  CHECK(t.there() == nullptr);
  REQUIRE(t.launcher().hosts.absence(t.host().id).has_value());
  CHECK(t.launcher().hosts.absence(t.host().id)->left_epoch == 0);
  t.cut(0, 0, false);
  t.pass(seconds(8));
  REQUIRE(t.there() != nullptr);
  CHECK(t.there()->info().epoch == 2);
  CHECK(t.holding(running) == Holding::no);
  CHECK(t.holding(kept) == Holding::yes);
  // Its result was there before: under its own epoch it still counts.
  const HostReport& report = t.launcher().reports.back();
  CHECK(report.execution == kept);
  CHECK(std::get<ExecutionFinished>(report.what).host_epoch == 1);
  CHECK(t.launcher().heard("finished", running) == 0);
}

TEST_CASE("together: a host stopped past its lease has nothing running shortly after it goes on") {
  Joined t;
  const ExecutionId running = t.launch();
  t.stop_host(0);
  // Still on its way to it, and answered by its kernel, as far as the launcher can tell.
  const ExecutionId waiting = t.orders.execution();
  t.there()->launch(t.orders.launch(waiting, {0, 1}, 1));
  t.pass(seconds(30));
  CHECK(t.there() == nullptr);
  t.resume_host(0);
  t.pass(Millis{200});
  CHECK(t.host().engine->counts().running == 0);
  t.pass(seconds(8));
  CHECK(t.launches_of(waiting) == 0);
  CHECK(t.host().epoch() == 2);
  CHECK(t.holding(running) == Holding::no);
  CHECK(t.launcher().heard("finished", running) == 0);
}

TEST_CASE("together: a host without a disk for its next epoch stays out until it has one") {
  Joined t;
  t.launch();
  t.host().disk_full = true;
  t.cut(0, 0, true);
  t.pass(seconds(12));
  t.cut(0, 0, false);
  t.pass(seconds(20));
  CHECK(t.host().engine->counts().running == 0);
  CHECK(t.host().agent->connected() == 0);
  t.host().disk_full = false;
  t.pass(seconds(8));
  CHECK(t.host().agent->connected() == 1);
  CHECK(t.there()->info().epoch == 2);
}

TEST_CASE("together: a host that is idle keeps its epoch, however long it is cut off") {
  Joined t;
  t.cut(0, 0, true);
  t.pass(minutes(1));
  t.cut(0, 0, false);
  t.pass(seconds(8));
  REQUIRE(t.there() != nullptr);
  CHECK(t.host().epoch() == 1);
  const ExecutionId id = t.launch();
  CHECK(t.launches_of(id) == 1);
}

TEST_CASE("together: what a silent host has not fetched is withdrawn, and never arrives") {
  Joined t;
  t.cut(0, 0, true);
  // The request that waits is answered by the first order: that one may have arrived.
  t.there()->take_over({0, 1});
  t.pass(Millis{100});
  const ExecutionId id = t.orders.execution();
  t.there()->launch(t.orders.launch(id, {0, 1}, 1));
  CHECK(t.holding(id) == Holding::yes);
  t.pass(seconds(4));
  CHECK(t.launcher().never_sent.contains({id, 1}));
  CHECK(t.there()->room() == 0);
  t.cut(0, 0, false);
  t.pass(seconds(8));
  CHECK(t.launches_of(id) == 0);
  CHECK(t.there()->room() == 4);
  CHECK(t.host().epoch() == 1);
}

TEST_CASE("together: an order that may have arrived is not withdrawn") {
  Joined t;
  t.cut(0, 0, true);
  const ExecutionId id = t.orders.execution();
  t.there()->launch(t.orders.launch(id, {0, 1}, 1));
  t.pass(seconds(20));
  CHECK(t.there() == nullptr);
  CHECK(t.launcher().never_sent.empty());
}

TEST_CASE("together: an order whose answer was lost arrives once the way is there again") {
  Joined t;
  const ExecutionId id = t.orders.execution();
  t.there()->launch(t.orders.launch(id, {0, 1}, 1));
  t.cut(0, 0, true);  // the answer is on its way
  t.pass(seconds(1));
  t.cut(0, 0, false);
  t.pass(seconds(20));
  CHECK(t.launches_of(id) == 1);
  CHECK(t.launcher().heard("started", id) == 1);
}

TEST_CASE("together: of two hosts under one name the later one is heard, the other told so") {
  Joined t;
  std::vector<std::string> names{"launcher0:7080"};
  HostSite twin("twin", t.host().id, 1, 2, names, t.clock, t.random, t.network);
  const auto before = t.there();
  for (int i = 0; i < 20 && t.there() == before; ++i) {
    twin.agent->tick();
    t.pass(Millis{50});
  }
  REQUIRE(t.there() != before);
  CHECK(t.there()->info().slots == 2);
  const ExecutionId late = t.orders.execution();
  before->launch(t.orders.launch(late, {0, 1}, 1));
  CHECK(t.launcher().never_sent.contains({late, 1}));
  t.pass(seconds(2));
  CHECK(t.host().agent->connected() == 0);  // it waits for a while before it tries again
}

TEST_CASE("together: a host with an older epoch than it was seen with is turned away") {
  Joined t;
  t.hosts[0].reset();
  t.stop_host(0);
  HostSite restored("restored", t.launcher().hosts.load().at(0).info.id, 1, 4, {"launcher0:7080"},
                    t.clock, t.random, t.network);
  for (int i = 0; i < 40; ++i) {
    restored.agent->tick();
    t.pass(Millis{50});
  }
  CHECK(restored.agent->connected() == 1);  // as new as the one before
  restored.engine->begin_epoch(5);
  t.pass(seconds(1));
  HostSite newer("newer", restored.id, 7, 4, {"launcher0:7080"}, t.clock, t.random, t.network);
  for (int i = 0; i < 40; ++i) {
    newer.agent->tick();
    t.pass(Millis{50});
  }
  CHECK(newer.agent->connected() == 1);
  for (int i = 0; i < 400; ++i) {
    restored.agent->tick();
    newer.agent->tick();
    t.pass(Millis{50});
  }
  CHECK(restored.agent->connected() == 0);
  CHECK(newer.agent->connected() == 1);
}

TEST_CASE("together: a host that leaves has nothing left, and its launcher knows") {
  Joined t;
  const ExecutionId running = t.launch();
  t.host().agent->drain();
  t.pass(Millis{200});
  CHECK(t.there()->room() == 0);
  const ExecutionId late = t.launch();
  CHECK(t.launcher().heard("refused", late) == 1);
  t.host().end_all();
  t.pass(Millis{200});
  CHECK(t.launcher().heard("finished", running) == 1);
  t.there()->acknowledge({0, 1}, running, 1);
  t.pass(Millis{200});
  CHECK(t.host().engine->counts().kept == 0);
  t.host().agent->leave();
  t.network.deliver();
  t.pass(Millis{100});
  CHECK(t.host().agent->left());
  CHECK(t.there() == nullptr);
  CHECK(t.launcher().hosts.absence(t.host().id)->left_epoch == 1);
  t.pass(seconds(3));
  CHECK(t.there() == nullptr);
}

TEST_CASE("together: large inputs and outputs pass whole, and hold up nothing") {
  Joined t(1, 8);
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 6; ++i) {
    const ExecutionId id = t.orders.execution();
    LaunchOrder order = t.orders.launch(id, {0, 1}, 1);
    order.limits.output_bytes = limits::kOutputBytesMax;
    order.input.sealed.bytes += Bytes(1'500'000, 'x');  // nobody can open it: ends at once
    if (i % 2 == 0) order = t.orders.launch(id, {0, 1}, 1);
    order.limits.output_bytes = limits::kOutputBytesMax;
    t.there()->launch(std::move(order));
    ids.push_back(id);
  }
  t.pass(seconds(1));
  for (const ExecutionId& id : ids) {
    FakeRun end;
    end.out = Bytes(limits::kOutputBytesMax, '\xff');
    end.err = end.out;
    t.host().driver.finish(id, end);
  }
  t.pass(seconds(1));
  for (const ExecutionId& id : ids) CHECK(t.launcher().heard("finished", id) == 1);
}

TEST_CASE("together: on a bad network nothing is launched twice, and every result arrives") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Joined t(2);
    SeededRandom chance(seed);
    std::vector<ExecutionId> ids;
    for (int i = 0; i < 120; ++i) {
      const auto remote = t.there(0);
      if (remote != nullptr && chance.below(3) == 0) {
        const ExecutionId id = !ids.empty() && chance.below(2) == 0 ? ids[chance.below(ids.size())]
                                                                    : t.orders.execution();
        if (remote->holding(0, id, 1) == Holding::no) {
          remote->launch(t.orders.launch(id, t.launcher(0).authority(0), remote->info().epoch));
          ids.push_back(id);
        }
      }
      if (chance.below(4) == 0) t.cut(0, chance.below(2), chance.below(2) == 0);
      if (chance.below(5) == 0) t.host().end_all();
      t.pass(Millis{static_cast<std::int64_t>(50 + chance.below(800))});
    }
    t.cut(0, 0, false);
    t.cut(0, 1, false);
    t.pass(seconds(30));
    t.host().end_all();
    t.pass(seconds(5));
    std::set<Attempt> launched;
    for (const Attempt& attempt : t.host().launches) CHECK(launched.insert(attempt).second);
    const HostCounts counts = t.host().engine->counts();
    CHECK(counts.running == 0);
    std::set<ExecutionId> ended;
    for (const HostReport& report : t.launcher(0).reports) {
      if (std::holds_alternative<ExecutionFinished>(report.what)) ended.insert(report.execution);
    }
    CHECK(ended.size() == counts.kept);
    CHECK(launched.size() == ended.size() + counts.discarded);
    CHECK(ended.size() > 0);
  }
}
