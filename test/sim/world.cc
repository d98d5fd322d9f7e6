// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "wire/topics.h"

namespace sandtrail::sim {
namespace {

// Of work that follows from other work without any time passing.
constexpr int kRoundsMax = 20'000;

}  // namespace

std::vector<std::string> groups() {
  return {"sandtrail-launcher", "sandtrail-billing", "sandtrail-retention", "sandtrail-webhooks",
          "sandtrail-auditor"};
}

std::vector<TopicPartition> all_partitions() {
  std::vector<TopicPartition> out;
  for (std::int32_t i = 0; i < kEventsPartitions; ++i) out.push_back({kEventsTopic, i});
  out.push_back({kPlatformTopic, 0});
  out.push_back({kAuditTopic, 0});
  return out;
}

World::World(std::uint64_t seed, int count, int machine_count)
    : shared(seed), order_(~seed), dice_(seed * 2 + 1) {
  std::vector<std::string> launchers;
  for (int i = 0; i < count; ++i) {
    processes.push_back(std::make_unique<Process>(shared, i, machine_count > 0));
    launchers.push_back(processes.back()->authority());
  }
  for (int i = 0; i < machine_count; ++i) {
    machines.push_back(std::make_unique<Machine>(shared, i, launchers));
  }
}

World::~World() = default;

Process& World::any() {
  std::vector<Process*> up;
  for (const auto& process : processes) {
    if (process->up() && !process->standing()) up.push_back(process.get());
  }
  if (up.empty()) {
    processes[0]->stop(false);
    if (!processes[0]->up()) processes[0]->start();
    return *processes[0];
  }
  return *up[order_.below(up.size())];
}

void World::begin() {
  for (const auto& process : processes) process->start();
  for (const auto& machine : machines) machine->start();
  settle();
  for (const std::int64_t credits : {1000, 1000, 1000, 3}) {
    orgs.push_back(workload.create_organization(*processes[0], credits));
  }
  pass(seconds(3));
}

void World::settle() {
  int rounds = 0;
  for (int idle = 0; idle < 2 && shared.problems.none();) {
    if (++rounds > kRoundsMax) return shared.problems.add("the installation does not come to rest");
    bool worked = shared.log.step();
    shared.log.run();
    for (const auto& process : processes) {
      if (process->up()) worked |= process->settle();
    }
    for (const auto& machine : machines) machine->settle();
    worked |= shared.network.deliver() > 0;
    idle = worked ? 0 : idle + 1;
  }
  shared.checkers->catch_up();
}

void World::pass(Millis span) {
  const std::int64_t step = std::max<std::int64_t>(250, span.count / 400);
  for (std::int64_t left = span.count; left > 0 && shared.problems.none(); left -= step) {
    shared.clock.advance({std::min(left, step)});
    settle();
  }
}

bool World::pass_until(const std::function<bool()>& done, Millis most) {
  for (std::int64_t passed = 0; passed < most.count && shared.problems.none(); passed += 500) {
    if (done()) return true;
    shared.clock.advance({500});
    settle();
  }
  return done();
}

// One small piece of anybody's work.
void World::tick() {
  if (order_.below(6) == 0) shared.clock.advance({static_cast<std::int64_t>(order_.below(20))});
  if (order_.below(3) == 0) {
    shared.log.step();
    return;
  }
  if (!machines.empty() && order_.below(2) == 0) {
    if (order_.below(3) > 0) {
      shared.network.step();
    } else {
      machines[order_.below(machines.size())]->step();
    }
    return;
  }
  Process& process = any();
  process.step();
  if (order_.below(200) == 0) process.compare_digests();
}

void World::live_dangerously(int actions) {
  shared.slow_network = true;
  for (int i = 0; i < actions && shared.problems.none(); ++i) {
    for (std::uint64_t n = 50 + order_.below(400); n > 0; --n) tick();
    shared.checkers->catch_up();
    const bool worse = dice_.below(2) == 0;
    const bool better = dice_.below(2) == 0;
    if (worse) make_trouble();
    if (better) end_trouble();
    workload.act(any());
    ++actions_lived;
  }
  shared.slow_network = false;
}

void World::lose_power() {
  shared.log.crash();
  for (const auto& process : processes) {
    if (process->up()) process->kill(true);
  }
  shared.checkers_log = shared.log.connect();
  shared.checkers->reconnect(*shared.checkers_log);
  for (const auto& process : processes) process->start();
}

void World::recover() {
  shared.log.set_faults({});
  shared.log.stall(stalled_ = false);
  shared.log.degrade(false);
  shared.keys.fail(std::nullopt);
  shared.keys.release();
  held_ = false;
  shared.objects.fail(std::nullopt);
  shared.receivers.set_faults({});
  heal_machines();
  for (const auto& machine : machines) machine->set_faults({});
  for (const auto& process : processes) {
    process->clock().set_offset({});
    process->set_host_faults({});
    if (!process->up()) process->start();
  }
  settle();
  for (const std::string& group : groups()) {
    for (const TopicPartition& where : all_partitions()) shared.log.assign(group, where);
  }
  const bool over = pass_until(
      [this] {
        bool anew = false;
        for (const auto& process : processes) {
          if (!process->stopped()) continue;
          restart(*process);
          anew = true;  // and has yet to catch up
        }
        const bool answered = workload.repeat_unanswered(any());
        return !anew && answered && shared.checkers->all_over();
      },
      minutes(10));
  pass(seconds(10));  // who was started last joins, catches up
  if (!over) shared.checkers->check_all_over();
  if (!over) workload.check_answered(*shared.checkers);
  shared.problems.expect(over, "not everything is over after ten quiet minutes");
}

// What an operator does with a process that says it has stopped.
void World::restart(Process& process) {
  process.kill(true);
  process.start();
}

}  // namespace sandtrail::sim
