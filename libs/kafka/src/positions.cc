// SPDX-License-Identifier: Apache-2.0
#include "positions.h"

#include <algorithm>
#include <vector>

namespace sandtrail::kafka {
namespace {

constexpr std::string_view kGroupPrefix = "position.";

}  // namespace

void Positions::report(const std::string& group, const TopicPartition& where, Position durable) {
  const std::lock_guard lock(mutex_);
  if (groups_.size() >= limits::kConsumerGroupsMax && !groups_.contains(group)) return;
  Group& its = groups_[group];
  std::int64_t& known = its.positions.try_emplace(where, -1).first->second;
  if (durable.value <= known) return;
  known = durable.value;
  its.dirty = true;
}

Status Positions::load(const std::string& group) {
  ST_ASSIGN(const auto committed, admin_->committed(prefix_ + std::string(kGroupPrefix) + group));
  const std::lock_guard lock(mutex_);
  Group& its = groups_[group];
  for (const auto& one : committed) {
    if (!one.topic.starts_with(prefix_)) continue;
    std::int64_t& known =
        its.positions.try_emplace({one.topic.substr(prefix_.size()), one.partition}, -1)
            .first->second;
    known = std::max(known, one.offset);
  }
  its.loaded = true;
  return {};
}

Status Positions::flush() {
  const std::lock_guard flushing(flushing_);
  std::vector<std::pair<std::string, bool>> dirty;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, group] : groups_) {
      if (group.dirty) dirty.emplace_back(name, group.loaded);
    }
  }
  for (const auto& [name, loaded] : dirty) {
    if (!loaded) ST_CHECK_OK(load(name));
    std::vector<Admin::Committed> positions;
    {
      const std::lock_guard lock(mutex_);
      Group& group = groups_[name];
      group.dirty = false;
      for (const auto& [where, position] : group.positions) {
        positions.push_back({prefix_ + where.topic, where.partition, position});
      }
    }
    const Status sent = admin_->commit(prefix_ + std::string(kGroupPrefix) + name, positions);
    if (sent.ok()) continue;
    const std::lock_guard lock(mutex_);
    groups_[name].dirty = true;
    return sent;
  }
  return {};
}

Result<std::optional<Positions::Lowest>> Positions::lowest(const TopicPartition& where) {
  ST_CHECK_OK(flush());
  ST_ASSIGN(const ReportedPositions reported, all());
  std::optional<Lowest> lowest;
  for (const auto& [group, positions] : reported) {
    const auto at = positions.find(where);
    if (at == positions.end() || (lowest && at->second >= lowest->position)) continue;
    lowest = Lowest{group, at->second};
  }
  return lowest;
}

Result<ReportedPositions> Positions::all() {
  const std::string ours = prefix_ + std::string(kGroupPrefix);
  ST_ASSIGN(const auto groups, admin_->groups(ours));
  ReportedPositions out;
  for (const std::string& group : groups) {
    ST_ASSIGN(const auto committed, admin_->committed(group));
    for (const auto& one : committed) {
      if (!one.topic.starts_with(prefix_) || one.offset < 0) continue;
      const TopicPartition where{one.topic.substr(prefix_.size()), one.partition};
      out[group.substr(ours.size())][where] = {one.offset};
    }
  }
  return out;
}

}  // namespace sandtrail::kafka
