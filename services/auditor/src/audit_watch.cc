// SPDX-License-Identifier: Apache-2.0
#include "auditor/auditor_role.h"
#include "wire/topics.h"

namespace sandtrail {

std::optional<std::int64_t> AuditWatch::recorded(const TopicPartition& source) const {
  const std::lock_guard lock(mutex_);
  if (!loaded_) return std::nullopt;
  const auto found = recorded_.find(source.text());
  return found == recorded_.end() ? -1 : found->second;
}

void AuditWatch::listen(const TopicPartition& who, std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  listeners_[who] = std::move(changed);
}

void AuditWatch::forget(const TopicPartition& who) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(who);
}

void AuditWatch::on_loaded(const PartitionView& view) {
  take(view);
}

void AuditWatch::on_committed(const PartitionView& view, const std::vector<Folded>&) {
  take(view);
}

void AuditWatch::take(const PartitionView& view) {
  if (view.where().topic != kAuditTopic) return;
  std::map<TopicPartition, std::function<void()>> listeners;
  {
    const std::lock_guard lock(mutex_);
    loaded_ = true;
    for (const auto& [chain, row] : view.state().audit_chains.rows()) recorded_[chain] = row.last;
    listeners = listeners_;
  }
  for (const auto& [who, changed] : listeners) changed();
}

}  // namespace sandtrail
