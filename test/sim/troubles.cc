// SPDX-License-Identifier: Apache-2.0
// Everything that may go wrong, drawn by seed. A kind that is left out is drawn all the same, so
// that what else happens stays the same as far as it can.
#include "world.h"

namespace sandtrail::sim {
namespace {

const Error kAway{ErrorCode::unavailable, "away for the test", ""};

unsigned up_to(Random& dice, std::uint64_t most) {
  return static_cast<unsigned>(dice.below(most));
}

}  // namespace

void World::make_trouble() {
  const bool of_machines = dice_.below(2) == 0;
  const std::uint64_t what = dice_.below(5);
  if (!machines.empty() && of_machines) return trouble_with_machines();
  switch (what) {
    case 0:
      return trouble_with_log();
    case 1:
      return trouble_with_processes();
    case 2:
      return trouble_with_ownership();
    case 3:
      return trouble_with_receivers();
    default:
      return trouble_with_stores();
  }
}

void World::end_trouble() {
  const bool of_machines = dice_.below(4) == 0;
  const std::uint64_t what = dice_.below(6);
  if (!machines.empty() && of_machines) heal_machines();
  switch (what) {
    case 0:
      return shared.log.stall(stalled_ = false);
    case 1:
      return shared.log.degrade(false);
    case 2:
      held_ = false;
      return shared.keys.release();
    case 3:
      return shared.keys.fail(std::nullopt);
    case 4:
      return shared.receivers.set_faults({});
    default:
      return shared.objects.fail(std::nullopt);
  }
}

void World::trouble_with_log() {
  const std::uint64_t what = dice_.below(4);
  const bool full = dice_.below(4) == 0;
  const bool forgets = dice_.below(3) == 0;
  const auto all = all_partitions();
  const TopicPartition& where = all[dice_.below(all.size())];
  const Position tail{shared.checkers_log->marks(where)->high.value - 2};
  if (forgets && tail.value > 0 && shared.diary.happens_if_dared("log forgets", where.text())) {
    shared.log.shorten(where, tail);
  }
  MemoryLogFaults faults;
  const auto draw = [this](const char* kind, std::uint64_t most) {
    const bool none = dice_.below(2) == 0;
    const unsigned chance = up_to(dice_, most);
    return !none && chance > 0 && happens(kind) ? chance : 0;
  };
  switch (what) {
    case 0:
      if (happens("log stalled")) shared.log.stall(stalled_ = !stalled_);
      return;
    case 1:
      return shared.log.degrade(full && happens("log full"));
    case 2:
      return shared.log.set_faults({});
    default:
      faults.unknown = draw("log answers unknown", 60);
      faults.refused = draw("log refuses", 60);
      faults.rejected = draw("log rejects", 30);
      faults.overloaded = draw("log overloaded", 30);
      faults.duplicated = draw("log repeats records", 100);
      faults.gaps = draw("log leaves gaps", 200);
      faults.spurious_wakes = draw("log wakes for nothing", 100);
      shared.log.set_faults(faults);
  }
}

void World::trouble_with_processes() {
  Process& process = *processes[dice_.below(processes.size())];
  const std::uint64_t what = dice_.below(24);
  const bool with_machine = dice_.below(2) == 0;
  const bool again = dice_.below(2) == 0;
  const Millis offset{static_cast<std::int64_t>(dice_.below(90'000)) - 45'000};
  const bool forward = dice_.below(2) == 0;
  HostFaults faults;
  for (unsigned* each :
       {&faults.refuses, &faults.loses_report, &faults.repeats, &faults.never_starts}) {
    *each = up_to(dice_, 300);
  }
  if (!process.up()) return process.start();
  if (process.stopped() || what < 6) {
    if (!happens("process killed", process.name())) return;
    process.kill(with_machine);
    if (again) process.start();
  } else if (what < 8) {
    if (happens("power lost")) lose_power();
  } else if (what < 12) {
    if (happens("clock set", process.name())) process.clock().set_offset(offset);
  } else if (what < 14) {
    if (!happens("clock set by a day", process.name())) return;
    process.clock().set_offset(forward ? days(1) : days(-1));
  } else if (happens("host unreliable", process.name())) {
    process.set_host_faults(faults);
  }
}

void World::trouble_with_ownership() {
  const auto all_groups = groups();
  const auto all = all_partitions();
  for (std::uint64_t n = 1 + dice_.below(4); n > 0; --n) {
    const std::string& group = all_groups[dice_.below(all_groups.size())];
    const TopicPartition& where = all[dice_.below(all.size())];
    const std::string what = group + " " + where.text();
    switch (dice_.below(3)) {
      case 0:
        if (happens("ownership revoked", what)) shared.log.revoke(group, where);
        break;
      case 1:
        if (happens("ownership lost", what)) shared.log.lose(group, where);
        break;
      default:
        shared.log.assign(group, where);
    }
  }
}

void World::trouble_with_stores() {
  const std::uint64_t what = dice_.below(4);
  const bool away = dice_.below(2) == 0;
  const bool broken = dice_.below(3) == 0;
  switch (what) {
    case 0:
      if (!happens("key store slow")) return;
      held_ = !held_;
      return held_ ? shared.keys.hold() : shared.keys.release();
    case 1:
      return shared.keys.fail(away && happens("key store away") ? std::optional(kAway)
                                                                : std::nullopt);
    case 2:
      return shared.objects.fail(away && happens("object store away") ? std::optional(kAway)
                                                                      : std::nullopt);
    default:
      if (!broken || !happens("store write failed")) return;
      any().store().fail_next_write({ErrorCode::disk_full, "disk full for the test", ""});
  }
}

void World::trouble_with_receivers() {
  ReceiverFaults faults;
  const auto draw = [this](const char* kind) {
    const bool none = dice_.below(2) == 0;
    const unsigned chance = up_to(dice_, 600);
    return !none && chance > 0 && happens(kind) ? chance : 0;
  };
  faults.fails = draw("receiver fails");
  faults.silent = draw("receiver silent");
  faults.breaks = draw("receiver breaks off");
  faults.gone = draw("receiver gone") / 20;
  shared.receivers.set_faults(faults);
}

void World::trouble_with_machines() {
  Machine& machine = *machines[dice_.below(machines.size())];
  Process& process = *processes[dice_.below(processes.size())];
  const std::uint64_t what = dice_.below(5);
  const std::uint64_t more = dice_.below(6);
  HostFaults faults;
  faults.refuses = up_to(dice_, 300);
  switch (what) {
    case 0:
      if (!happens("machine killed", machine.name())) return;
      if (machine.up()) machine.kill();
      if (more % 2 == 0) machine.start();
      return;
    case 1:
      if (!happens("machine stopped", machine.name())) return;
      if (machine.up()) machine.stop(!machine.stopped());
      if (more % 2 == 0) shared.clock.advance(seconds(25));
      return;
    case 2:
      if (!happens("network cut", machine.name() + " " + process.authority())) return;
      shared.network.cut(machine.name(), process.authority(), more % 3 > 0);
      if (more < 3) shared.clock.advance(seconds(6));
      return;
    case 3:
      if (happens("process stopped", process.name()) && process.up()) {
        process.stop(!process.standing());
      }
      return;
    default:
      if (happens("machine refuses", machine.name())) machine.set_faults(faults);
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

}  // namespace sandtrail::sim
