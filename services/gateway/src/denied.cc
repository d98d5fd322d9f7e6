// SPDX-License-Identifier: Apache-2.0
#include "denied.h"

#include "base/limits.h"
#include "wire/topics.h"

namespace sandtrail::gateway {

Denied::Denied(Runtime& runtime, const Clock& clock, Timers& timers, Millis flush_after)
    : runtime_(runtime), clock_(clock), timers_(timers), flush_after_(flush_after) {}

void Denied::count(const OrgId& org, const Actor& actor, std::string_view action,
                   std::string_view reason, const std::string& request_id) {
  const UnixMs now = clock_.now();
  bool schedule = false;
  {
    const std::lock_guard lock(mutex_);
    schedule = groups_.empty();
    Group group{org, actor.key, std::string(action), std::string(reason)};
    const bool full = groups_.size() >= limits::kDeniedGroupsMax && !groups_.contains(group);
    if (full) group = {OrgId(), std::nullopt, std::string(action), std::string(reason)};
    Tally& tally = groups_[group];
    if (tally.count++ == 0) {
      tally.actor = actor;
      if (std::get<OrgId>(group).nil()) {
        tally.actor.kind = ActorKind::unauthenticated;
        tally.actor.key.reset();
        tally.actor.name.clear();
      }
      tally.request_id = request_id;
      tally.first = now;
    }
    tally.last = now;
  }
  if (schedule) timers_.after(flush_after_, [this] { flush(); });
}

void Denied::flush() {
  std::map<Group, Tally> groups;
  {
    const std::lock_guard lock(mutex_);
    groups.swap(groups_);
  }
  for (const auto& [group, tally] : groups) propose(group, tally);
}

void Denied::propose(const Group& group, const Tally& tally) {
  const auto& [org, key, action, reason] = group;
  Proposal proposal;
  proposal.org = org;
  proposal.actor = tally.actor;
  proposal.request_id = tally.request_id;
  if (key) proposal.subject = key->text();
  TopicPartition where{kPlatformTopic, 0};
  if (org.nil()) {
    proposal.body = PlatformAccessDenied{action, reason, tally.count, tally.first, tally.last};
  } else {
    where = runtime_.home(org);
    proposal.body = AccessDenied{action, reason, tally.count, tally.first, tally.last};
  }
  // Nobody waits for it; if the log does not take it, the refusals themselves stood.
  runtime_.propose(where, std::move(proposal), [](const ProposalOutcome&) {});
}

}  // namespace sandtrail::gateway
