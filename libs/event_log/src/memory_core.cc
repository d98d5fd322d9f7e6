// SPDX-License-Identifier: Apache-2.0
#include "memory_core.h"

#include <algorithm>

#include "event_log/checks.h"

namespace sandtrail::memory {
namespace {

// What a connection that is cut has handed over stays with it.
std::deque<Pending>::iterator first_to_write(Partition& partition) {
  return std::find_if(partition.queue.begin(), partition.queue.end(),
                      [](const Pending& pending) { return !pending.client->away; });
}

}  // namespace

Core::Core(const MemoryLogOptions& chosen, const Clock& clock_port)
    : options(chosen),
      clock(clock_port),
      random(chosen.seed),
      faults(chosen.faults),
      identity(hex(random.bytes(16))) {}

std::shared_ptr<Client> Core::connect_locked() {
  auto client = std::make_shared<Client>();
  std::erase_if(clients, [](const auto& known) { return known.expired(); });
  clients.push_back(client);
  return client;
}

LogHealth Core::health_locked(const Client& client) const {
  if (!fatal.empty()) return {LogHealth::Level::fatal, fatal, {}, ErrorCode::internal};
  if (client.away)
    return {LogHealth::Level::degraded, "the log is away", {}, ErrorCode::unavailable};
  if (!degraded) return {};
  return {LogHealth::Level::degraded, "the disk is full", {}, ErrorCode::disk_full};
}

Partition* Core::find_locked(const TopicPartition& where) {
  const auto topic = topics.find(where.topic);
  if (topic == topics.end() || where.partition < 0) return nullptr;
  const auto index = static_cast<std::size_t>(where.partition);
  return index < topic->second.size() ? &topic->second[index] : nullptr;
}

bool Core::chance_locked(unsigned in_a_thousand) {
  return in_a_thousand > 0 && random.below(1000) < in_a_thousand;
}

Fate Core::draw_fate_locked() {
  Fate fate;
  if (chance_locked(faults.gaps)) fate.gap = static_cast<int>(1 + random.below(5));
  if (chance_locked(faults.refused)) {
    fate.kind = AppendOutcome::Kind::not_committed;
    fate.copies = 0;
    fate.error = {ErrorCode::unavailable, "the log refused the record", "repeat it"};
  } else if (chance_locked(faults.rejected)) {
    fate.kind = AppendOutcome::Kind::not_committed;
    fate.copies = 0;
    fate.error = {ErrorCode::internal, "the log rejected the record", ""};
  } else if (chance_locked(faults.unknown)) {
    fate.kind = AppendOutcome::Kind::unknown;
    fate.copies = static_cast<int>(random.below(3));
    fate.error = {ErrorCode::unknown_outcome, "no answer from the log", ""};
  } else if (chance_locked(faults.duplicated)) {
    fate.copies = 2;
  }
  return fate;
}

Status Core::check_open_locked(const Client& client) const {
  if (!client.open) return closed_error();
  return {};
}

Status Core::check_reach_locked(const Client& client) const {
  ST_CHECK_OK(check_open_locked(client));
  if (client.away) return Error{ErrorCode::unavailable, "the log is away", "wait"};
  return {};
}

void Core::wake_locked(const TopicPartition& where) {
  for (const auto& subscription : subscriptions) {
    if (subscription->where == where) subscription->pending = true;
  }
}

void Core::wait_for_callback_locked(std::unique_lock<std::mutex>& lock) {
  if (stepping && stepper == std::this_thread::get_id()) return;
  stepped.wait(lock, [this] { return !stepping; });
}

bool Core::step() {
  std::unique_lock lock(mutex);
  if (stepping && stepper == std::this_thread::get_id()) return false;
  stepped.wait(lock, [this] { return !stepping; });
  return step_locked(lock);
}

void Core::settle() {
  if (options.mode != MemoryLogOptions::Mode::immediate) return;
  std::unique_lock lock(mutex);
  // Whoever is stepping looks for work again after its callback, and so does ours.
  if (stepping) return;
  while (step_locked(lock)) {
  }
}

bool Core::step_locked(std::unique_lock<std::mutex>& lock) {
  const std::vector<Work> work = pending_work_locked();
  if (work.empty()) return false;
  const bool by_seed = options.mode == MemoryLogOptions::Mode::stepped;
  const Work& chosen = work[by_seed ? random.below(work.size()) : 0];
  std::function<void()> call = perform_locked(chosen);
  if (!call) return true;
  stepping = true;
  stepper = std::this_thread::get_id();
  lock.unlock();
  call();
  call = nullptr;
  lock.lock();
  stepping = false;
  stepped.notify_all();
  return true;
}

// In the order in which immediate mode does them.
std::vector<Core::Work> Core::pending_work_locked() {
  std::vector<Work> work;
  for (const auto& [name, group] : groups) {
    for (const auto& member : group.members) {
      if (!member->events.empty()) work.push_back({Work::Kind::ownership, nullptr, {}, member});
    }
  }
  if (!answers.empty() && !stalled) work.push_back({Work::Kind::answer, nullptr, {}, {}});
  for (const auto& subscription : subscriptions) {
    if (subscription->pending) work.push_back({Work::Kind::wake, nullptr, subscription, {}});
  }
  if (stalled) return work;
  for (const Work::Kind kind : {Work::Kind::sync, Work::Kind::write, Work::Kind::late}) {
    for (auto& [name, partitions] : topics) {
      for (Partition& partition : partitions) {
        const bool is_there = kind == Work::Kind::sync ? partition.next != partition.synced
                              : kind == Work::Kind::write
                                  ? first_to_write(partition) != partition.queue.end()
                                  : !partition.late.empty();
        if (is_there) work.push_back({kind, &partition, {}, {}});
      }
    }
  }
  return work;
}

std::function<void()> Core::perform_locked(const Work& work) {
  switch (work.kind) {
    case Work::Kind::ownership:
      return take_ownership_event_locked(work.member);
    case Work::Kind::answer:
      return take_answer_locked();
    case Work::Kind::wake:
      work.subscription->pending = false;
      return [subscription = work.subscription] { subscription->wake(); };
    case Work::Kind::sync:
      sync_locked(*work.partition);
      return nullptr;
    case Work::Kind::write:
      write_locked(*work.partition);
      return nullptr;
    case Work::Kind::late:
      store_locked(*work.partition, work.partition->late.front());
      work.partition->late.pop_front();
      return nullptr;
  }
  return nullptr;
}

void Core::store_locked(Partition& partition, EncodedRecord& record) {
  const Entry& last =
      partition.records.empty() ? partition.floor : partition.records.rbegin()->second;
  const UnixMs stamp = std::max(clock.now(), last.stamp);
  const std::int64_t position = partition.next++;
  const std::uint64_t running = seal_record(record, {position}, stamp, last.running);
  partition.records[position] = {record.bytes, stamp, running};
}

void Core::write_locked(Partition& partition) {
  const auto first = first_to_write(partition);
  Pending pending = std::move(*first);
  partition.queue.erase(first);
  AppendOutcome outcome{pending.fate.kind, {}, {}, pending.fate.error};
  if (pending.fate.copies > 0) {
    partition.next += pending.fate.gap;
    outcome.position = {partition.next};
    store_locked(partition, pending.record);
    outcome.stamp = partition.records.rbegin()->second.stamp;
    if (pending.fate.copies > 1) partition.late.push_back(std::move(pending.record));
  }
  if (!pending.done) return;
  Answer answer{pending.client, pending.bytes, std::move(pending.done), std::move(outcome)};
  if (answer.outcome.committed()) {
    partition.unsynced.push_back(std::move(answer));
  } else {
    answer.outcome.position = {};
    answer.outcome.stamp = {};
    answers.push_back(std::move(answer));
  }
}

void Core::sync_locked(Partition& partition) {
  partition.synced = partition.next;
  for (Answer& answer : partition.unsynced) answers.push_back(std::move(answer));
  partition.unsynced.clear();
  wake_locked(partition.where);
}

std::function<void()> Core::take_answer_locked() {
  const bool by_seed = options.mode == MemoryLogOptions::Mode::stepped;
  if (by_seed) std::swap(answers.front(), answers[random.below(answers.size())]);
  Answer answer = std::move(answers.front());
  answers.pop_front();
  answer.client->queued_records -= 1;
  answer.client->queued_bytes -= answer.bytes;
  return [done = std::move(answer.done), outcome = std::move(answer.outcome)] { done(outcome); };
}

}  // namespace sandtrail::memory
