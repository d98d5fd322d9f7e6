// SPDX-License-Identifier: Apache-2.0
// Rare cases of hosts on machines of their own, by hand.
#include <doctest/doctest.h>

#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

const std::string kLauncherGroup = "sandtrail-launcher";

// Two processes and as many machines as asked for; programs run as long as they may.
struct Site {
  explicit Site(int machines = 1) : world(9, 2, machines) {
    world.begin();
    HostFaults faults;
    faults.runs_to_limit = true;
    for (const auto& machine : world.machines) machine->set_faults(faults);
  }
  ~Site() {
    world.recover();
    if (world.shared.problems.none()) world.check();
    CHECK_MESSAGE(world.shared.problems.none(), world.shared.problems.text());
  }
  ExecutionId request(std::int64_t wall_ms, std::int64_t attempts_max = 1) {
    Order order;
    order.wall_ms = wall_ms;
    order.attempts_max = attempts_max;
    const ExecutionId id = world.workload.request(world.any(), world.orgs[0], order);
    REQUIRE(!id.nil());
    return id;
  }
  const History& history(const ExecutionId& id) {
    return world.shared.checkers->executions().at(id);
  }
  std::string end(const ExecutionId& id) {
    const std::string type = history(id).end;
    return type.substr(type.rfind('.') + 1);
  }
  TopicPartition home() const { return home_of(world.orgs[0], kEventsPartitions); }
  std::optional<ExecutionStatus> status(const ExecutionId& id) {
    const auto* row = world.shared.checkers->state(home()).executions.find(id);
    if (row == nullptr) return std::nullopt;
    return row->status;
  }
  bool wait_for(const ExecutionId& id, ExecutionStatus wanted, Millis most = minutes(2)) {
    return world.pass_until([&] { return status(id) == wanted; }, most);
  }
  bool acts(const Process& process) {
    for (const auto& status : const_cast<Process&>(process).runtime().status()) {
      if (!(status.where == home())) continue;
      for (const auto& role : status.roles) {
        if (role.role == "launcher") return role.live;
      }
    }
    return false;
  }
  // Which process acts for the launcher role on the organisation's partition.
  Process& owner() { return *world.processes[acts(*world.processes[0]) ? 0 : 1]; }
  Machine& machine(std::size_t i = 0) { return *world.machines[i]; }
  World world;
};

}  // namespace

TEST_CASE("a launcher that dies in mid-run loses no result: its successor gets them") {
  Site s;
  const ExecutionId first = s.request(5'000);
  const ExecutionId second = s.request(20'000);
  CHECK(s.wait_for(first, ExecutionStatus::started));
  CHECK(s.wait_for(second, ExecutionStatus::started));
  s.owner().kill(true);
  CHECK(s.wait_for(first, ExecutionStatus::finished));
  CHECK(s.wait_for(second, ExecutionStatus::finished));
  CHECK(s.machine().agent().fences() == 0);
}

TEST_CASE("a launcher that stands still and goes on after it was replaced starts nothing anew") {
  Site s;
  const ExecutionId over = s.request(3'000);
  CHECK(s.wait_for(over, ExecutionStatus::started));
  Process& stale = s.owner();
  stale.stop_workers(true);  // inputs are not read: launches wait
  const ExecutionId waiting = s.request(3'000);
  s.world.pass(seconds(1));
  CHECK(s.status(waiting) == ExecutionStatus::assigned);
  stale.stop(true);
  s.world.shared.log.lose(kLauncherGroup, s.home());
  CHECK(s.wait_for(over, ExecutionStatus::finished));
  CHECK(s.wait_for(waiting, ExecutionStatus::finished));
  const std::size_t launches = s.world.shared.checkers->launches();
  stale.stop(false);
  stale.stop_workers(false);
  s.world.pass(seconds(10));
  CHECK(s.world.shared.checkers->launches() == launches);
  CHECK(&s.owner() != &stale);
}

TEST_CASE("a machine that dies takes its attempts with it, and the request says what then") {
  for (const std::int64_t attempts : {1, 2}) {
    CAPTURE(attempts);
    Site s(2);
    const ExecutionId id = s.request(30'000, attempts);
    CHECK(s.wait_for(id, ExecutionStatus::started));
    Machine& there = s.machine(s.machine(0).engine().counts().running == 1 ? 0 : 1);
    there.kill();
    s.world.pass(seconds(14));
    CHECK(s.status(id) == ExecutionStatus::started);  // it may be back
    CHECK(s.wait_for(id, attempts == 1 ? ExecutionStatus::lost : ExecutionStatus::finished));
    CHECK(s.history(id).launches == attempts);
  }
}

TEST_CASE("what is placed on a machine that has just died is placed again, and soon") {
  Site s(2);
  s.machine(0).kill();
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(s.request(500));
  for (const ExecutionId& id : ids) CHECK(s.wait_for(id, ExecutionStatus::finished, seconds(12)));
}

TEST_CASE("a machine that stands still past its lease has nothing running when it goes on") {
  Site s;
  const ExecutionId id = s.request(60'000);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  s.machine().stop(true);
  CHECK(s.wait_for(id, ExecutionStatus::lost));
  s.machine().stop(false);
  s.world.pass({500});
  CHECK(s.machine().engine().counts().running == 0);
  CHECK(s.machine().engine().counts().discarded == 1);
  CHECK(s.end(id) == "lost");
}

TEST_CASE("a machine cut off from one launcher goes on for the other") {
  Site s;
  const ExecutionId id = s.request(60'000);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  Process& owner = s.owner();
  s.world.shared.network.cut(s.machine().name(), owner.authority(), true);
  s.world.pass(seconds(12));
  CHECK(s.machine().engine().counts().running == 1);  // its successor may take it over
  s.world.shared.log.lose(kLauncherGroup, s.home());
  s.world.pass(seconds(2));
  CHECK(&s.owner() != &owner);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  CHECK(s.machine().agent().fences() == 0);
}

TEST_CASE("a result that was there before the host had to begin anew still counts") {
  Site s;
  const ExecutionId id = s.request(5'000);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  const ExecutionId running = s.request(60'000);
  CHECK(s.wait_for(running, ExecutionStatus::started));
  for (const auto& process : s.world.processes) {
    s.world.shared.network.cut(s.machine().name(), process->authority(), true);
  }
  s.world.pass(seconds(13));  // one ends, then nobody has renewed it for too long
  CHECK(s.machine().agent().fences() == 1);
  CHECK(s.machine().engine().counts().kept == 1);
  for (const auto& process : s.world.processes) {
    s.world.shared.network.cut(s.machine().name(), process->authority(), false);
  }
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  CHECK(s.wait_for(running, ExecutionStatus::lost));
}

TEST_CASE("while no host has joined, executions wait") {
  Site s;
  s.machine().kill();
  s.world.pass(seconds(20));
  const ExecutionId id = s.request(500);
  s.world.pass(minutes(2));
  CHECK(s.status(id) == ExecutionStatus::requested);
  s.machine().start();
  CHECK(s.wait_for(id, ExecutionStatus::finished, seconds(15)));
}

TEST_CASE("a host that says it runs something for ever cannot hold credits for ever") {
  Site s;
  const ExecutionId id = s.request(2'000);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  // Its programs never end any more, though it lives.
  s.machine().hang(true);
  CHECK(s.wait_for(id, ExecutionStatus::lost, minutes(3)));
  s.machine().hang(false);
}
