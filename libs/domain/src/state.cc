// SPDX-License-Identifier: Apache-2.0
#include "domain/state.h"

#include <algorithm>

#include "legality.h"

namespace sandtrail {

void JudgedIds::add(const EventId& id, UnixMs until) {
  if (!until_.emplace(id, until).second) return;
  order_.push_back(id);
  added_.emplace(id, until);
}

void JudgedIds::forget_before(UnixMs log_time) {
  while (!order_.empty()) {
    const auto found = until_.find(order_.front());
    if (found->second > log_time) return;
    if (added_.erase(found->first) == 0) removed_.push_back(found->first);
    until_.erase(found);
    order_.pop_front();
  }
}

void JudgedIds::load(BytesView key, BytesView value) {
  ST_ASSERT(key.size() == 16 && value.size() == 8);
  until_[EventId::derived(key)] = UnixMs{static_cast<std::int64_t>(get_be64(value))};
}

void JudgedIds::loaded() {
  order_.clear();
  for (const auto& [id, until] : until_) order_.push_back(id);
  std::sort(order_.begin(), order_.end(), [this](const EventId& a, const EventId& b) {
    return std::pair(until_.at(a), a) < std::pair(until_.at(b), b);
  });
}

const RateCard* CoreState::card(std::int64_t version) const {
  return cards.find(legality::card_key(version));
}

std::int64_t CoreState::epoch_of(DeciderRole role) const {
  const OwnerRow* owner = owners.find(std::string(enum_text(role)));
  return owner == nullptr ? 0 : owner->epoch;
}

}  // namespace sandtrail
