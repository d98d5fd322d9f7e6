// SPDX-License-Identifier: Apache-2.0
#include "consumers.h"

#include <algorithm>

#include "base/limits.h"
#include "event_log/checks.h"

namespace sandtrail::embedded {

void Consumers::load(const std::vector<HeadMark::Report>& reports,
                     const std::vector<std::string>& forgotten) {
  for (const HeadMark::Report& known : reports) {
    if (std::find(forgotten.begin(), forgotten.end(), known.group) != forgotten.end()) continue;
    report(known.group, known.where, known.durable);
  }
}

bool Consumers::report(const std::string& group, const TopicPartition& where, Position durable) {
  if (!check_group(group).ok()) return false;
  const std::lock_guard lock(mutex_);
  if (!groups_.contains(group) && groups_.size() >= limits::kConsumerGroupsMax) {
    overflowed_ = true;
    return false;
  }
  const auto [known, added] = groups_[group].try_emplace(where, durable);
  if (added) return true;
  if (known->second >= durable) return false;
  known->second = durable;
  return true;
}

std::vector<HeadMark::Report> Consumers::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<HeadMark::Report> out;
  for (const auto& [group, reports] : groups_) {
    for (const auto& [where, durable] : reports) out.push_back({group, where, durable});
  }
  return out;
}

Status Consumers::may_trim(const TopicPartition& where, Position before) const {
  const std::lock_guard lock(mutex_);
  if (overflowed_) {
    return Error{ErrorCode::conflict, "more consumer groups reported than can be kept", ""};
  }
  for (const auto& [group, reports] : groups_) {
    const auto reported = reports.find(where);
    if (reported == reports.end() || reported->second >= before) continue;
    return Error{ErrorCode::conflict,
                 "group " + group + " still needs " + where.text() + " from " +
                     std::to_string(reported->second.value),
                 "if the group is gone for good, open the log once with it in forget_groups"};
  }
  return {};
}

}  // namespace sandtrail::embedded
