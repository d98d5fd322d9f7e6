// SPDX-License-Identifier: Apache-2.0
// Rare cases by hand, on the same installation and with the same checkers as the runs by seed.
#include <doctest/doctest.h>

#include "wire/event_codec.h"
#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

const std::string kLauncherGroup = "sandtrail-launcher";
const Error kBroken{ErrorCode::internal, "broken for the test", ""};

struct Scenario {
  explicit Scenario(int processes = 1) : world(5, processes) { world.begin(); }
  // Whatever a scenario did, in the end everything is over and right.
  ~Scenario() {
    world.recover();
    if (world.shared.problems.none()) world.check();
    CHECK_MESSAGE(world.shared.problems.none(), world.shared.problems.text());
  }
  Process& process(std::size_t i = 0) { return *world.processes[i]; }
  const OrgId& org() const { return world.orgs[0]; }
  TopicPartition home() const { return home_of(org(), kEventsPartitions); }
  // Programs run as long as they may.
  void slow_programs() {
    HostFaults faults;
    faults.runs_to_limit = true;
    for (const auto& each : world.processes) each->set_host_faults(faults);
  }
  ExecutionId request(const Order& order = {}) {
    const ExecutionId id = world.workload.request(process(), org(), order);
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
  // Nothing while its request is not in the log.
  std::optional<ExecutionStatus> status(const ExecutionId& id) {
    const auto* row = world.shared.checkers->state(home()).executions.find(id);
    if (row == nullptr) return std::nullopt;
    return row->status;
  }
  bool wait_for(const ExecutionId& id, ExecutionStatus wanted) {
    return world.pass_until([&] { return status(id) == wanted; }, minutes(2));
  }
  void all_events(void (MemoryLog::*move)(const std::string&, const TopicPartition&)) {
    for (std::int32_t i = 0; i < kEventsPartitions; ++i) {
      (world.shared.log.*move)(kLauncherGroup, {kEventsTopic, i});
    }
  }
  World world;
};

Order with_attempts(std::int64_t attempts_max) {
  Order order;
  order.attempts_max = attempts_max;
  return order;
}

}  // namespace

TEST_CASE("an execution runs, is settled and, in its time, erased") {
  Scenario s;
  Order order;
  order.retention = seconds(30);
  order.input_bytes = 50'000;  // stands in the object store
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.pass(seconds(2));
  CHECK(s.history(id).settled.has_value());
  CHECK(s.history(id).erased == 0);
  CHECK(s.world.shared.objects.count() >= 1);
  s.world.pass(seconds(40));
  CHECK(s.history(id).key_destroyed == 1);
  CHECK(s.world.shared.objects.count() == 0);
}

TEST_CASE("a launch that was not handed over when its role was lost is by the next one") {
  Scenario s;
  s.process().stop_workers(true);  // the input is never read
  const ExecutionId id = s.request();
  s.world.pass(seconds(1));
  CHECK(s.status(id) == ExecutionStatus::assigned);
  s.all_events(&MemoryLog::lose);
  s.world.pass(seconds(1));
  s.process().stop_workers(false);  // what was read for the lost role launches nothing
  s.world.pass(seconds(1));
  CHECK(s.world.shared.checkers->launches() == 0);
  s.all_events(&MemoryLog::assign);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  CHECK(s.history(id).attempt == 1);
}

TEST_CASE("an attempt whose input may not be read for now is not given up") {
  Scenario s;
  s.process().stop_workers(true);
  Order order;
  order.input_bytes = 50'000;
  const ExecutionId id = s.request(order);
  s.world.pass(seconds(1));
  REQUIRE(s.status(id) == ExecutionStatus::assigned);
  s.world.shared.objects.fail(Error{ErrorCode::denied, "the user has no such right", ""});
  s.process().stop_workers(false);
  s.world.pass(seconds(2));
  CHECK(s.status(id) == ExecutionStatus::assigned);
  s.world.shared.objects.fail(std::nullopt);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  CHECK(s.history(id).attempt == 1);
}

TEST_CASE(
    "a process that dies with a running attempt loses it; the request says if it runs again") {
  for (const std::int64_t attempts : {1, 2}) {
    CAPTURE(attempts);
    Scenario s;
    s.slow_programs();
    Order order = with_attempts(attempts);
    order.wall_ms = 60'000;
    const ExecutionId id = s.request(order);
    CHECK(s.wait_for(id, ExecutionStatus::started));
    s.process().kill(false);
    s.process().start();
    CHECK(s.wait_for(id, attempts == 1 ? ExecutionStatus::lost : ExecutionStatus::finished));
    s.world.pass(seconds(2));
    CHECK(s.history(id).attempt == attempts);
    if (attempts == 1) CHECK(s.history(id).settled == 0);
  }
}

TEST_CASE("a result that comes while nobody owns the partition is kept and applied later") {
  Scenario s;
  s.slow_programs();
  Order order;
  order.wall_ms = 10'000;
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  s.all_events(&MemoryLog::lose);
  s.world.pass(seconds(15));
  CHECK(s.process().host().kept() == 1);
  CHECK(s.status(id) == ExecutionStatus::started);
  s.all_events(&MemoryLog::assign);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.pass(seconds(1));
  CHECK(s.process().host().kept() == 0);
}

TEST_CASE("a process that takes over waits for the lease of a host that it does not know") {
  Scenario s(2);
  s.slow_programs();
  Order order;
  order.wall_ms = 120'000;
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  const std::int32_t home = s.home().partition;
  const bool first_owns = s.process(0).host().holding(home, id, 1) == Holding::yes;
  s.process(first_owns ? 0 : 1).kill(true);
  s.world.pass(seconds(10));
  CHECK(s.status(id) == ExecutionStatus::started);
  CHECK(s.wait_for(id, ExecutionStatus::lost));
}

TEST_CASE("a cancel finds an execution wherever it is") {
  Scenario s;
  s.slow_programs();
  s.process().stop_workers(true);
  const ExecutionId reading = s.request();
  s.world.pass(seconds(1));
  s.world.workload.cancel(s.process(), reading);
  s.world.pass(seconds(1));
  s.process().stop_workers(false);
  CHECK(s.wait_for(reading, ExecutionStatus::finished));

  Order endless;
  endless.wall_ms = 600'000;
  std::vector<ExecutionId> running;
  for (int i = 0; i < 3; ++i) running.push_back(s.request(endless));
  s.world.pass(seconds(1));
  const ExecutionId queued = s.request(endless);  // no slot is free
  s.world.pass(seconds(1));
  CHECK(s.status(queued) == ExecutionStatus::requested);
  s.world.workload.cancel(s.process(), queued);
  CHECK(s.wait_for(queued, ExecutionStatus::cancelled));
  CHECK(s.history(queued).attempt == 0);
  for (const ExecutionId& id : running) s.world.workload.cancel(s.process(), id);
  for (const ExecutionId& id : running) CHECK(s.wait_for(id, ExecutionStatus::finished));
}

TEST_CASE("what cannot be paid in the worst case is refused, to the last microcredit") {
  Scenario s;
  // The fourth tenant has 3000 microcredits; each of these holds 1000 at worst.
  Order order;
  order.wall_ms = 6'000;
  order.memory_mib = 128;
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(s.world.workload.request(s.process(), s.world.orgs[3], order));
  }
  s.world.pass(seconds(1));
  std::size_t rejected = 0;
  for (const ExecutionId& id : ids) {
    CHECK(s.history(id).terminals <= 1);
    if (s.end(id) == "rejected") ++rejected;
    if (s.end(id) != "rejected") CHECK(s.history(id).hold == 1000);
  }
  CHECK(rejected == 1);
}

TEST_CASE("a host that is full is not asked again and again") {
  Scenario s;
  HostFaults faults;
  faults.refuses = 1000;
  s.process().set_host_faults(faults);
  const ExecutionId id = s.request();
  s.world.pass(seconds(20));
  CHECK(s.history(id).attempt >= 5);
  CHECK(s.history(id).attempt <= 25);
  s.process().set_host_faults({});
  CHECK(s.wait_for(id, ExecutionStatus::finished));
}

TEST_CASE("a log that says Unknown to everything, and stores it up to twice, confuses nobody") {
  Scenario s;
  MemoryLogFaults faults;
  faults.unknown = 1000;
  s.world.shared.log.set_faults(faults);
  for (int i = 0; i < 8; ++i) {
    Order order;
    order.idempotency_key = std::to_string(i % 2);
    order.retention = seconds(5);
    s.request(order);
    s.world.pass(seconds(5));
  }
  CHECK(s.world.shared.checkers->voids(VoidReason::repeated) > 0);
}

TEST_CASE("a key store that is away when keys are due delays erasure and no more") {
  Scenario s;
  Order order;
  order.retention = seconds(5);
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.shared.keys.fail(Error{ErrorCode::internal, "stopped after a write error", ""});
  s.world.pass(minutes(5));
  CHECK(s.history(id).erased == 1);
  CHECK(s.history(id).key_destroyed == 0);
  s.process().kill(false);
  s.world.shared.keys.crash();
  s.process().start();
  s.world.pass(seconds(10));
  CHECK(s.history(id).key_destroyed == 1);
}

TEST_CASE("a payload that is read while its key is destroyed is gone all the same") {
  Scenario s;
  Order order;
  order.retention = seconds(5);
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.shared.keys.hold();
  s.world.pass(seconds(10));  // the destroy waits
  const SealedPayload input = s.history(id).input;
  CHECK(!s.process().payloads().open({"input", ""}, input).ok());
  s.world.shared.keys.release();
  s.world.pass(seconds(1));
  CHECK(s.history(id).key_destroyed == 1);
  CHECK(!s.process().payloads().open({"input", ""}, input).ok());
}

TEST_CASE("a clock that is wrong for a while delays what is said then, and loses nothing") {
  Scenario s;
  s.slow_programs();
  Order order;
  order.wall_ms = 10'000;
  order.retention = seconds(20);
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::started));
  s.process().clock().set_offset(seconds(45));  // what is proposed now is void: ahead
  s.world.pass(seconds(15));
  CHECK(s.status(id) == ExecutionStatus::started);
  s.process().clock().set_offset({});
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.shared.keys.hold();
  s.world.pass(seconds(25));
  CHECK(s.history(id).erased == 1);
  s.process().clock().set_offset(seconds(45));
  s.world.shared.keys.release();
  s.world.pass(seconds(5));
  CHECK(s.history(id).key_destroyed == 0);
  s.process().clock().set_offset({});
  s.world.pass(minutes(1));
  CHECK(s.history(id).key_destroyed == 1);
}

TEST_CASE("a key store that is away when a run starts delays it and no more") {
  Scenario s;
  s.slow_programs();
  const ExecutionId id = s.request(with_attempts(2));
  CHECK(s.wait_for(id, ExecutionStatus::started));
  s.process().kill(false);
  s.world.shared.keys.fail(Error{ErrorCode::unavailable, "away", ""});
  s.process().start();  // and knows no key
  s.world.pass(minutes(1));
  CHECK(s.status(id) == ExecutionStatus::assigned);
  s.world.shared.keys.fail(std::nullopt);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
}

TEST_CASE("taking everything up again while assignments are in flight assigns nothing twice") {
  Scenario s;
  s.slow_programs();
  const TopicPartition home = s.home();
  for (int i = 0; i < 6; ++i) {
    const std::string effect = "effect-" + std::to_string(i);
    Event parked;
    parked.id = EventId::fresh(s.world.shared.clock, s.world.shared.random);
    parked.time = s.world.shared.clock.now();
    const auto& state = s.world.shared.checkers->state(home);
    parked.decision = Decision{DeciderRole::launcher, state.epoch_of(DeciderRole::launcher)};
    parked.body = EffectParked{effect, "broken"};
    s.world.shared.log.append(home, *encode_event(parked), {});
    s.world.settle();
    Proposal retry;
    retry.subject = effect;
    retry.actor = Actor{};
    retry.actor->kind = ActorKind::op;
    retry.body = EffectResolved{DeciderRole::launcher, effect, EffectAction::retry};
    s.process().runtime().propose(home, retry, [](const ProposalOutcome&) {});
    s.request();  // in the same batch
    s.world.pass(seconds(3));
  }
  CHECK(s.world.shared.checkers->voids(VoidReason::wrong_state) == 0);
  Order slow;
  slow.wall_ms = 30'000;
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(s.request(slow));
  s.world.pass(seconds(10));
  // Every slot of the host is still there.
  for (const ExecutionId& id : ids) CHECK(s.status(id) == ExecutionStatus::started);
}

TEST_CASE("an effect that cannot work is parked, and an operator's retry finishes it") {
  Scenario s;
  Order order;
  order.retention = seconds(5);
  const ExecutionId id = s.request(order);
  CHECK(s.wait_for(id, ExecutionStatus::finished));
  s.world.shared.objects.fail(kBroken);
  s.world.pass(minutes(3));
  const TopicPartition home = s.home();
  const auto& parked = s.world.shared.checkers->state(home).parked;
  REQUIRE(parked.size() == 1);
  const std::string key = parked.rows().begin()->first;
  CHECK(key == "retention/destroy/" + id.text());
  s.world.shared.objects.fail(std::nullopt);
  s.world.pass(minutes(1));
  CHECK(s.history(id).key_destroyed == 0);
  Proposal retry;
  retry.subject = "destroy/" + id.text();
  retry.actor = Actor{};
  retry.actor->kind = ActorKind::op;
  retry.body = EffectResolved{DeciderRole::retention, retry.subject, EffectAction::retry};
  s.process().runtime().propose(home, retry, [](const ProposalOutcome&) {});
  s.world.pass(seconds(1));
  CHECK(s.history(id).key_destroyed == 1);
}

TEST_CASE("a result that cannot be stored waits for the object store") {
  Scenario s;
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(s.request());
  s.world.shared.objects.fail(Error{ErrorCode::unavailable, "away", ""});
  s.world.pass(minutes(1));
  s.world.shared.objects.fail(std::nullopt);
  for (const ExecutionId& id : ids) CHECK(s.wait_for(id, ExecutionStatus::finished));
}

TEST_CASE("what waits longer than the queue allows is rejected") {
  Scenario s;
  HostFaults faults;
  faults.refuses = 1000;
  s.process().set_host_faults(faults);
  const ExecutionId id = s.request();
  s.world.pass(minutes(16));
  CHECK(s.end(id) == "rejected");
}

TEST_CASE("no host has the language: rejected at once") {
  Scenario s;
  Order order;
  order.language = "cobol";
  const ExecutionId id = s.request(order);
  s.world.pass(seconds(1));
  CHECK(s.end(id) == "rejected");
}

TEST_CASE("power lost at any point costs nothing that was acknowledged") {
  for (int steps = 0; steps < 120; steps += 15) {
    CAPTURE(steps);
    Scenario s;
    int applied = 0;
    const TopicPartition home = s.home();
    for (int i = 0; i < 10; ++i) {
      Proposal grant;
      grant.org = s.org();
      grant.subject = s.org().text();
      grant.actor = Actor{};
      grant.actor->kind = ActorKind::op;
      grant.body = BillingGranted{s.org(), {1}, "one"};
      s.process().runtime().propose(home, grant, [&applied](const ProposalOutcome& outcome) {
        if (outcome.applied()) ++applied;
      });
    }
    for (int i = 0; i < steps; ++i) {
      s.world.shared.log.step();
      s.process().step();
    }
    const int acknowledged = applied;
    s.world.lose_power();
    s.world.pass(seconds(1));
    const auto granted =
        s.world.shared.checkers->state(home).orgs.find(s.org())->granted.count - 1'000'000;
    CHECK(granted >= acknowledged);
    CHECK(granted <= 10);
  }
}

TEST_CASE("a day after the end the core keeps nothing but what must yet be erased") {
  Scenario s;
  Order erased;
  erased.retention = seconds(1);
  Order kept;
  const ExecutionId first = s.request(erased);
  const ExecutionId second = s.request(kept);
  CHECK(s.wait_for(second, ExecutionStatus::finished));
  s.world.pass(seconds(20));
  s.world.shared.clock.advance(hours(25));
  s.world.workload.grant(s.process(), s.org(), 1);
  s.world.pass(seconds(5));
  const auto& state = s.world.shared.checkers->state(s.home());
  CHECK(state.executions.find(first) == nullptr);
  REQUIRE(state.executions.find(second) != nullptr);
  CHECK(state.executions.find(second)->stub);
  CHECK(state.idempotency.size() == 0);
}

TEST_CASE("ownership that moves at every turn between two processes decides nothing twice") {
  Scenario s(2);
  for (int i = 0; i < 30; ++i) {
    Order order = with_attempts(3);
    order.retention = seconds(2);
    if (i % 3 == 0) s.request(order);
    for (const std::string& group : groups()) {
      for (std::int32_t p = 0; p < kEventsPartitions; ++p) {
        i % 2 == 0 ? s.world.shared.log.lose(group, {kEventsTopic, p})
                   : s.world.shared.log.revoke(group, {kEventsTopic, p});
      }
      s.world.shared.log.lose(group, {kAuditTopic, 0});
    }
    s.world.pass({700});
  }
}
