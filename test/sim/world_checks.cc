// SPDX-License-Identifier: Apache-2.0
// What must hold of the whole installation once it is quiet.
#include "codec/reflect.h"
#include "world.h"

namespace sandtrail::sim {
namespace {

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

// The records that somebody has to read who looks for the cause: of those the problems name, or the
// newest ones of each partition.
bool is_named(const SeenRecord& record, const std::string& problems) {
  const auto named = [&problems](const std::string& id) {
    return id.size() > 8 && problems.find(id) != std::string::npos;
  };
  return named(record.subject) || named(record.correlation);
}

constexpr std::size_t kNewestShown = 25;

}  // namespace

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
  workload.check_answered(checkers);
  check_payloads();
  // Long after: an assignment of unknown fate keeps its slot until it is certainly dead.
  check_machines();
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

// They are twenty minutes old by then, by the clock of the process that made them.
void World::sweep_unbound_keys() {
  pass(minutes(31));
  bool made_by_a_wrong_clock = false;
  const Status listed = shared.keys.list([&](const WrappedKey& key) {
    made_by_a_wrong_clock |= key.created > shared.clock.now();
    return true;
  });
  shared.problems.expect(listed.ok(), "the key store does not list");
  if (!made_by_a_wrong_clock) return;
  shared.clock.advance(days(1));
  pass(minutes(31));
}

// What was erased opens nowhere; everything else does, and no key is left that nothing uses.
void World::check_payloads() {
  sweep_unbound_keys();
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

std::string World::story() const {
  std::string out = "What happened, by the world's clock:\n";
  for (const std::string& note : shared.diary.notes()) out += "  " + note + "\n";
  const std::string problems = shared.problems.text();
  std::vector<const SeenRecord*> shown;
  const auto& seen = shared.checkers->seen();
  for (const SeenRecord& record : seen) {
    if (is_named(record, problems)) shown.push_back(&record);
  }
  out += shown.empty() ? "The newest records of each partition:\n"
                       : "The records of those that the problems name:\n";
  if (shown.empty()) {
    std::map<TopicPartition, std::size_t> left;
    for (auto at = seen.rbegin(); at != seen.rend(); ++at) {
      if (left[at->where]++ < kNewestShown) shown.push_back(&*at);
    }
    shown = {shown.rbegin(), shown.rend()};
  }
  for (const SeenRecord* record : shown) out += "  " + record->text() + "\n";
  return out;
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

}  // namespace sandtrail::sim
