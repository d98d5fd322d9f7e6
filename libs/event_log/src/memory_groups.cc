// SPDX-License-Identifier: Apache-2.0
// Ownership in the twin: who owns what, and what its listeners are still to be told.
#include <algorithm>

#include "memory_core.h"

namespace sandtrail::memory {

void Core::join_locked(const std::shared_ptr<Member>& member) {
  Group& group = groups[member->group];
  group.members.push_back(member);
  for (const std::string& topic : member->topics) {
    for (const Partition& partition : topics[topic]) {
      if (!group.owners.contains(partition.where)) give_locked(group, partition.where, nullptr);
    }
  }
}

void Core::leave_locked(const std::shared_ptr<Member>& member) {
  member->live = false;
  member->events.clear();
  Group& group = groups[member->group];
  std::erase(group.members, member);
  std::vector<TopicPartition> left;
  for (const auto& [where, owner] : group.owners) {
    if (owner == member) left.push_back(where);
  }
  for (const TopicPartition& where : left) hand_over_locked(group, where);
}

// To the member with the fewest partitions; the first of equals.
void Core::give_locked(Group& group, const TopicPartition& where, const Member* except) {
  std::shared_ptr<Member> chosen;
  std::ptrdiff_t fewest = 0;
  for (const auto& member : group.members) {
    if (member.get() == except || !member->topics.contains(where.topic)) continue;
    const auto owned = std::count_if(group.owners.begin(), group.owners.end(),
                                     [&](const auto& owner) { return owner.second == member; });
    if (chosen && owned >= fewest) continue;
    chosen = member;
    fewest = owned;
  }
  if (!chosen) return;
  group.owners[where] = chosen;
  chosen->events.push_back({OwnershipEvent::Kind::assigned, where});
}

void Core::hand_over_locked(Group& group, const TopicPartition& where) {
  const auto owner = group.owners.find(where);
  if (owner == group.owners.end()) return;
  const std::shared_ptr<Member> from = owner->second;
  group.owners.erase(owner);
  give_locked(group, where, from.get());
}

std::function<void()> Core::take_ownership_event_locked(const std::shared_ptr<Member>& member) {
  OwnershipEvent event = std::move(member->events.front());
  member->events.pop_front();
  return [this, member, event = std::move(event)] {
    switch (event.kind) {
      case OwnershipEvent::Kind::assigned:
        member->listener->on_assigned(event.where);
        break;
      case OwnershipEvent::Kind::revoked:
        member->listener->on_revoked(event.where);
        break;
      case OwnershipEvent::Kind::lost:
        member->listener->on_lost(event.where);
        break;
    }
    const std::lock_guard lock(mutex);
    finish_event_locked(member, event);
  };
}

void Core::finish_event_locked(const std::shared_ptr<Member>& member, const OwnershipEvent& event) {
  if (event.kind != OwnershipEvent::Kind::revoked || !member->live) return;
  Group& group = groups[member->group];
  const auto owner = group.owners.find(event.where);
  if (owner != group.owners.end() && owner->second == member) hand_over_locked(group, event.where);
}

}  // namespace sandtrail::memory
