// SPDX-License-Identifier: Apache-2.0
#include "billing/billing_role.h"
#include "wire/topics.h"

namespace sandtrail {

std::optional<PlatformWatch::Published> PlatformWatch::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

void PlatformWatch::listen(const TopicPartition& who, std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  listeners_[who] = std::move(changed);
}

void PlatformWatch::forget(const TopicPartition& who) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(who);
}

void PlatformWatch::on_loaded(const PartitionView& view) {
  take(view);
}

void PlatformWatch::on_committed(const PartitionView& view, const std::vector<Folded>&) {
  take(view);
}

void PlatformWatch::take(const PartitionView& view) {
  if (view.where().topic != kPlatformTopic) return;
  const CoreState& state = view.state();
  const RateCard* card = state.card(state.meta.rate_card);
  std::map<TopicPartition, std::function<void()>> listeners;
  {
    const std::lock_guard lock(mutex_);
    if (card == nullptr || (newest_ && newest_->card.version == card->version)) return;
    newest_ = Published{*card, state.meta.platform_position};
    listeners = listeners_;
  }
  for (const auto& [who, changed] : listeners) changed();
}

}  // namespace sandtrail
