// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "codec/reflect.h"
#include "wire/topics.h"

namespace sandtrail::sim {
namespace {

const Error kAway{ErrorCode::unavailable, "away for the test", ""};

class SignedTree final : public AuditKey {
 public:
  explicit SignedTree(const NoteVerifier& verifier) : verifier_(verifier) {}
  Result<std::pair<std::uint64_t, Bytes>> open(const std::string& note) const override {
    ST_ASSIGN(const Note opened, open_note(note, {verifier_}));
    ST_ASSIGN(const Checkpoint checkpoint, parse_checkpoint(opened.text));
    return std::pair(checkpoint.size, checkpoint.root);
  }

 private:
  const NoteVerifier& verifier_;
};

std::vector<TopicPartition> all_partitions() {
  std::vector<TopicPartition> out;
  for (std::int32_t i = 0; i < kEventsPartitions; ++i) out.push_back({kEventsTopic, i});
  out.push_back({kPlatformTopic, 0});
  out.push_back({kAuditTopic, 0});
  return out;
}

}  // namespace

std::vector<std::string> groups() {
  return {"sandtrail-launcher", "sandtrail-billing", "sandtrail-retention", "sandtrail-auditor"};
}

World::World(std::uint64_t seed, int count, int machine_count) : shared(seed) {
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
  return *up[shared.random.below(up.size())];
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
  for (int idle = 0; idle < 2;) {
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
    pass({500});
  }
  return done();
}

// One small piece of anybody's work.
void World::tick() {
  Random& random = shared.random;
  if (random.below(6) == 0) shared.clock.advance({static_cast<std::int64_t>(random.below(20))});
  if (random.below(3) == 0) {
    shared.log.step();
    return;
  }
  if (!machines.empty() && random.below(2) == 0) {
    if (random.below(3) > 0) {
      shared.network.step();
    } else {
      machines[random.below(machines.size())]->step();
    }
    return;
  }
  Process& process = any();
  process.step();
  if (random.below(200) == 0) process.compare_digests();
}

void World::live_dangerously(int actions) {
  shared.slow_network = true;
  for (int i = 0; i < actions && shared.problems.none(); ++i) {
    for (std::uint64_t n = 50 + shared.random.below(400); n > 0; --n) tick();
    shared.checkers->catch_up();
    if (shared.random.below(2) == 0) make_trouble();
    if (shared.random.below(2) == 0) end_trouble();
    workload.act(any());
  }
  shared.slow_network = false;
}

void World::make_trouble() {
  if (!machines.empty() && shared.random.below(2) == 0) return trouble_with_machines();
  switch (shared.random.below(4)) {
    case 0:
      return trouble_with_log();
    case 1:
      return trouble_with_processes();
    case 2:
      return trouble_with_ownership();
    default:
      return trouble_with_stores();
  }
}

void World::end_trouble() {
  if (!machines.empty() && shared.random.below(4) == 0) heal_machines();
  switch (shared.random.below(5)) {
    case 0:
      return shared.log.stall(stalled_ = false);
    case 1:
      return shared.log.degrade(false);
    case 2:
      held_ = false;
      return shared.keys.release();
    case 3:
      return shared.keys.fail(std::nullopt);
    default:
      return shared.objects.fail(std::nullopt);
  }
}

void World::trouble_with_log() {
  Random& random = shared.random;
  switch (random.below(4)) {
    case 0:
      stalled_ = !stalled_;
      shared.log.stall(stalled_);
      return count("log stalled");
    case 1:
      shared.log.degrade(random.below(4) == 0);
      return count("log degraded");
    case 2:
      shared.log.set_faults({});
      return;
    default: {
      MemoryLogFaults faults;
      const auto up_to = [&random](std::uint64_t most) {
        return static_cast<unsigned>(random.below(2) == 0 ? 0 : random.below(most));
      };
      faults.unknown = up_to(60);
      faults.refused = up_to(60);
      faults.rejected = up_to(30);
      faults.overloaded = up_to(30);
      faults.duplicated = up_to(100);
      faults.gaps = up_to(200);
      faults.spurious_wakes = up_to(100);
      shared.log.set_faults(faults);
      return count("log unreliable");
    }
  }
}

void World::trouble_with_processes() {
  Random& random = shared.random;
  Process& process = *processes[random.below(processes.size())];
  if (!process.up()) return process.start();
  if (process.stopped() || random.below(4) == 0) {
    process.kill(random.below(2) == 0);
    if (random.below(2) == 0) process.start();
    return count("process killed");
  }
  if (random.below(8) == 0) {
    lose_power();
    return count("power lost");
  }
  if (random.below(3) == 0) {
    process.clock().set_offset({static_cast<std::int64_t>(random.below(90'000)) - 45'000});
    return count("clock set");
  }
  HostFaults faults;
  faults.refuses = static_cast<unsigned>(random.below(300));
  faults.loses_report = static_cast<unsigned>(random.below(300));
  faults.repeats = static_cast<unsigned>(random.below(300));
  faults.never_starts = static_cast<unsigned>(random.below(300));
  process.set_host_faults(faults);
  count("host unreliable");
}

void World::trouble_with_ownership() {
  Random& random = shared.random;
  const auto all_groups = groups();
  const auto all = all_partitions();
  for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
    const std::string& group = all_groups[random.below(all_groups.size())];
    const TopicPartition& where = all[random.below(all.size())];
    switch (random.below(3)) {
      case 0:
        shared.log.revoke(group, where);
        break;
      case 1:
        shared.log.lose(group, where);
        break;
      default:
        shared.log.assign(group, where);
    }
  }
  count("ownership moved");
}

void World::trouble_with_stores() {
  Random& random = shared.random;
  switch (random.below(4)) {
    case 0:
      held_ = !held_;
      held_ ? shared.keys.hold() : shared.keys.release();
      return count("key store slow");
    case 1:
      shared.keys.fail(random.below(2) == 0 ? std::optional(kAway) : std::nullopt);
      return count("key store away");
    case 2:
      shared.objects.fail(random.below(2) == 0 ? std::optional(kAway) : std::nullopt);
      return count("object store away");
    default:
      if (random.below(3) > 0) return;
      any().store().fail_next_write({ErrorCode::disk_full, "disk full for the test", ""});
      return count("store write failed");
  }
}

void World::trouble_with_machines() {
  Random& random = shared.random;
  Machine& machine = *machines[random.below(machines.size())];
  Process& process = *processes[random.below(processes.size())];
  switch (random.below(5)) {
    case 0:
      if (machine.up()) machine.kill();
      if (random.below(2) == 0) machine.start();
      return count("machine killed");
    case 1:
      if (machine.up()) machine.stop(!machine.stopped());
      if (random.below(2) == 0) shared.clock.advance(seconds(25));
      return count("machine stopped");
    case 2:
      shared.network.cut(machine.name(), process.authority(), random.below(3) > 0);
      if (random.below(3) == 0) shared.clock.advance(seconds(6));
      return count("network cut");
    case 3:
      if (process.up()) process.stop(!process.standing());
      return count("process stopped");
    default: {
      HostFaults faults;
      faults.refuses = static_cast<unsigned>(random.below(300));
      machine.set_faults(faults);
      return count("machine refuses");
    }
  }
}

void World::heal_machines() {
  for (const auto& machine : machines) {
    if (!machine->up()) machine->start();
    machine->stop(false);
    for (const auto& process : processes) {
      shared.network.cut(machine->name(), process->authority(), false);
    }
  }
  for (const auto& process : processes) process->stop(false);
}

// What launchers hold to be over runs nowhere any more, and no result waits for ever.
void World::check_machines() {
  for (const auto& machine : machines) {
    shared.problems.expect(machine->engine().counts().running == 0,
                           machine->name() + " still runs something");
    shared.problems.expect(machine->engine().counts().kept == 0,
                           machine->name() + " still keeps a result");
    shared.problems.expect(machine->agent().connected() == processes.size(),
                           machine->name() + " is not connected to everybody");
  }
  for (const auto& process : processes) {
    for (const Hosts::Load& load : process->hosts().load()) {
      shared.problems.expect(load.busy == 0, "a slot is taken by nothing");
    }
  }
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
        return !anew && shared.checkers->all_over();
      },
      minutes(10));
  pass(seconds(10));  // who was started last joins, catches up
  if (!over) shared.checkers->check_all_over();
  shared.problems.expect(over, "not everything is over after ten quiet minutes");
}

// What an operator does with a process that says it has stopped.
void World::restart(Process& process) {
  process.kill(true);
  process.start();
}

void World::check() {
  Checkers& checkers = *shared.checkers;
  checkers.catch_up();
  checkers.check_all_over();
  checkers.check_audit(SignedTree(shared.signer->verifier()));
  for (const auto& process : processes) {
    process->compare_digests();
    shared.problems.expect(process->runtime().not_ready_because().empty(),
                           process->runtime().not_ready_because());
    const bool readable = !process->has_host() || process->host().unreadable() == 0;
    shared.problems.expect(readable, "a host could not read an input");
  }
  shared.problems.expect(workload.answered_twice() == 0, "a proposal was answered twice");
  check_machines();
  check_payloads();
  check_owners();
  check_rebuild();
}

// One process acts for a role in a partition, under the newest epoch, and none that was fenced.
void World::check_owners() {
  std::map<std::string, int> live;
  for (const auto& process : processes) {
    for (const PartitionStatus& status : process->runtime().status()) {
      const CoreState& state = shared.checkers->state(status.where);
      for (const RoleStatus& role : status.roles) {
        live[status.where.text() + " " + role.role] += role.live ? 1 : 0;
        const auto newest = state.epoch_of(*enum_from<DeciderRole>(role.role));
        shared.problems.expect(!role.live || role.epoch == newest, role.role + " was fenced");
      }
    }
  }
  for (const auto& [what, count] : live) {
    shared.problems.expect(count == 1, std::to_string(count) + " processes act: " + what);
  }
}

// What was erased opens nowhere; everything else does, and no key is left that nothing uses.
void World::check_payloads() {
  pass(minutes(31));  // unbound keys are swept
  Keyring keyring(shared.root_key.clone(), shared.keys, shared.clock, shared.random);
  Payloads fresh(keyring, shared.objects);
  for (const auto& [id, row] : shared.checkers->executions()) {
    const bool erased = row.key_destroyed > 0;
    const auto opens = [&](Payloads& payloads) {
      const bool in = payloads.open({"input", ""}, row.input).ok();
      bool out = false;
      if (row.output) {
        const std::string attempt = std::to_string(row.attempt);
        out = payloads.open({"output", attempt}, *row.output).ok();
      }
      return erased ? in || out : in && out == row.output.has_value();
    };
    shared.problems.expect(opens(fresh) != erased,
                           id.text() + (erased ? " can still be opened" : " cannot be opened"));
    if (erased && !row.input.object.empty()) {
      shared.problems.expect(!shared.objects.get(row.input.object).ok(), "an object is left");
    }
  }
  const auto bound = shared.checkers->bound_keys();
  const Status listed = shared.keys.list([&](const WrappedKey& key) {
    shared.problems.expect(bound.contains(key.id), "a data key is left that nothing uses");
    return true;
  });
  shared.problems.expect(listed.ok(), "the key store does not list");
}

// The same records make the same rows, in whatever batches, by whatever process.
void World::check_rebuild() {
  settle();
  MemoryKvStore store;
  const auto log = shared.log.connect();
  RuntimeOptions options;
  options.events_partitions = kEventsPartitions;
  options.threads = false;
  Runtime rebuilt(options, *log, store, shared.clock, shared.random);
  add_projections(rebuilt);
  shared.problems.expect(rebuilt.start().ok(), "the rebuild does not start");
  for (std::size_t i = 0; i < kPartitions; ++i) {
    while (rebuilt.step(i)) {
    }
    const TopicPartition where = rebuilt.partitions()[i];
    const auto again = rebuilt.digests(where);
    for (const auto& process : processes) {
      const auto now = process->runtime().digests(where);
      const bool same = now.ok() && again.ok() && now->next == again->next &&
                        now->fold == again->fold && now->core == again->core &&
                        now->projections == again->projections;
      shared.problems.expect(same, "a rebuild of " + where.text() + " differs");
    }
  }
}

}  // namespace sandtrail::sim
