// SPDX-License-Identifier: Apache-2.0
// What the twin does on demand.
#include "event_log/record_codec.h"
#include "memory_core.h"

namespace sandtrail {
namespace memory {

std::vector<Answer> Core::take_unanswered_locked(const Client* client) {
  const auto concerns = [client](const std::shared_ptr<Client>& owner) {
    return client == nullptr || owner.get() == client;
  };
  const auto take = [&](auto& list, std::vector<Answer>& out) {
    for (Answer& answer : list) {
      if (concerns(answer.client)) out.push_back(std::move(answer));
    }
    std::erase_if(list, [&](const Answer& answer) { return !answer.done; });
  };
  std::vector<Answer> out;
  for (auto& [name, partitions] : topics) {
    for (Partition& partition : partitions) {
      take(partition.unsynced, out);
      std::size_t queued = 0;
      for (Pending& pending : partition.queue) {
        if (!pending.done || !concerns(pending.client)) continue;
        out.push_back({pending.client, pending.bytes, std::move(pending.done), {}});
        pending.done = nullptr;
        ++queued;
      }
      // A connection hands over in order, so what still arrives of it is a prefix.
      const std::size_t kept = static_cast<std::size_t>(random.below(queued + 1));
      std::size_t seen = 0;
      std::erase_if(partition.queue, [&](const Pending& pending) {
        return !pending.done && concerns(pending.client) && seen++ >= kept;
      });
    }
  }
  take(answers, out);
  for (Answer& answer : out) {
    answer.client->queued_records -= 1;
    answer.client->queued_bytes -= answer.bytes;
  }
  return out;
}

void Core::forget_client_locked(const std::shared_ptr<Client>& client) {
  client->open = false;
  client->accepting = false;
  std::vector<std::shared_ptr<Member>> leaving;
  for (const auto& [name, group] : groups) {
    for (const auto& member : group.members) {
      if (member->client == client) leaving.push_back(member);
    }
  }
  for (const auto& member : leaving) leave_locked(member);
  std::erase_if(subscriptions, [&](const auto& subscription) {
    if (subscription->client != client) return false;
    subscription->live = false;
    return true;
  });
}

void Core::trim_locked(Partition& partition, std::int64_t before) {
  before = std::min(before, partition.synced);
  if (before <= partition.low) return;
  const auto end = partition.records.lower_bound(before);
  if (end != partition.records.begin()) {
    const Entry& last = std::prev(end)->second;
    partition.floor = {{}, last.stamp, last.running};
  }
  partition.records.erase(partition.records.begin(), end);
  partition.low = before;
}

void Core::lose_unsynced_locked(Partition& partition) {
  std::vector<std::int64_t> unsynced;
  for (auto at = partition.records.lower_bound(partition.synced); at != partition.records.end();
       ++at) {
    unsynced.push_back(at->first);
  }
  const std::size_t kept = static_cast<std::size_t>(random.below(unsynced.size() + 1));
  for (std::size_t i = kept; i < unsynced.size(); ++i) partition.records.erase(unsynced[i]);
  if (kept > 0) partition.synced = unsynced[kept - 1] + 1;
  partition.next = partition.synced;
  partition.queue.clear();
  partition.late.clear();
}

void Core::crash_locked(Dropped& dropped) {
  for (Answer& answer : take_unanswered_locked(nullptr)) dropped.push_back(std::move(answer.done));
  for (const auto& known : clients) {
    if (const auto client = known.lock()) forget_client_locked(client);
  }
  for (auto& [name, partitions] : topics) {
    for (Partition& partition : partitions) lose_unsynced_locked(partition);
  }
}

}  // namespace memory

void MemoryLog::set_faults(const MemoryLogFaults& faults) {
  const std::lock_guard lock(core_->mutex);
  core_->faults = faults;
}

void MemoryLog::stall(bool stalled) {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stalled = stalled;
  }
  core_->settle();
}

void MemoryLog::degrade(bool degraded) {
  const std::lock_guard lock(core_->mutex);
  core_->degraded = degraded;
  client_->health.seen(core_->health_locked(*client_), core_->clock.now());
}

void MemoryLog::cut(bool cut) {
  {
    const std::lock_guard lock(core_->mutex);
    client_->away = cut;
    client_->health.seen(core_->health_locked(*client_), core_->clock.now());
    if (!cut) {
      for (const auto& subscription : core_->subscriptions) {
        if (subscription->client == client_) subscription->pending = true;
      }
    }
  }
  core_->settle();
}

void MemoryLog::fail(const std::string& reason) {
  {
    const std::lock_guard lock(core_->mutex);
    core_->fatal = reason;
    for (memory::Answer& answer : core_->take_unanswered_locked(nullptr)) {
      answer.client->queued_records += 1;
      answer.client->queued_bytes += answer.bytes;
      answer.outcome = {AppendOutcome::Kind::unknown, {}, {}, {}};
      answer.outcome.error = {ErrorCode::unknown_outcome, reason, "restart"};
      core_->answers.push_back(std::move(answer));
    }
  }
  core_->settle();
}

void MemoryLog::kill() {
  std::vector<memory::Answer> dropped;
  {
    std::unique_lock lock(core_->mutex);
    core_->wait_for_callback_locked(lock);
    dropped = core_->take_unanswered_locked(client_.get());
    core_->forget_client_locked(client_);
  }
  core_->settle();
}

void MemoryLog::crash() {
  memory::Core::Dropped dropped;
  std::unique_lock lock(core_->mutex);
  core_->wait_for_callback_locked(lock);
  core_->crash_locked(dropped);
  lock.unlock();
}

void MemoryLog::revoke(const std::string& group, const TopicPartition& where) {
  {
    const std::lock_guard lock(core_->mutex);
    auto& owners = core_->groups[group].owners;
    const auto owner = owners.find(where);
    if (owner == owners.end()) return;
    owner->second->events.push_back({memory::OwnershipEvent::Kind::revoked, where});
  }
  core_->settle();
}

void MemoryLog::lose(const std::string& group, const TopicPartition& where) {
  {
    const std::lock_guard lock(core_->mutex);
    memory::Group& members = core_->groups[group];
    const auto owner = members.owners.find(where);
    if (owner == members.owners.end()) return;
    owner->second->events.push_back({memory::OwnershipEvent::Kind::lost, where});
    core_->hand_over_locked(members, where);
  }
  core_->settle();
}

void MemoryLog::assign(const std::string& group, const TopicPartition& where) {
  {
    const std::lock_guard lock(core_->mutex);
    memory::Group& members = core_->groups[group];
    if (members.owners.contains(where)) return;
    core_->give_locked(members, where, nullptr);
  }
  core_->settle();
}

void MemoryLog::skip(const TopicPartition& where, std::int64_t positions) {
  {
    const std::lock_guard lock(core_->mutex);
    memory::Partition* partition = core_->find_locked(where);
    if (partition != nullptr) partition->next += positions;
  }
  core_->settle();
}

void MemoryLog::trim_unasked(const TopicPartition& where, Position before) {
  const std::lock_guard lock(core_->mutex);
  memory::Partition* partition = core_->find_locked(where);
  if (partition != nullptr) core_->trim_locked(*partition, before.value);
}

void MemoryLog::shorten(const TopicPartition& where, Position tail) {
  const std::lock_guard lock(core_->mutex);
  memory::Partition* partition = core_->find_locked(where);
  if (partition == nullptr || tail.value >= partition->next) return;
  partition->records.erase(partition->records.lower_bound(tail.value), partition->records.end());
  partition->next = std::max(tail.value, partition->low);
  partition->synced = std::min(partition->synced, partition->next);
}

void MemoryLog::damage(const TopicPartition& where, Position position) {
  const std::lock_guard lock(core_->mutex);
  memory::Partition* partition = core_->find_locked(where);
  if (partition != nullptr) partition->damaged.insert(position.value);
}

void MemoryLog::replace() {
  const std::lock_guard lock(core_->mutex);
  core_->identity = hex(core_->random.bytes(16));
  core_->reports.clear();
  for (auto& [name, partitions] : core_->topics) {
    for (memory::Partition& partition : partitions) {
      const TopicPartition where = partition.where;
      std::deque<memory::Pending> queue = std::move(partition.queue);
      std::vector<memory::Answer> unsynced = std::move(partition.unsynced);
      partition = {};
      partition.where = where;
      partition.queue = std::move(queue);
      for (memory::Answer& answer : unsynced) {
        answer.outcome = {AppendOutcome::Kind::unknown, {}, {}, {}};
        answer.outcome.error = {ErrorCode::unknown_outcome, "the log was replaced", ""};
        core_->answers.push_back(std::move(answer));
      }
    }
  }
}

}  // namespace sandtrail
