// SPDX-License-Identifier: Apache-2.0
#include "domain/state.h"

#include "legality.h"

namespace sandtrail {

void JudgedIds::add(const EventId& id, UnixMs until) {
  if (!until_.emplace(id, until).second) return;
  order_.emplace(until, id);
  added_.emplace(id, until);
}

void JudgedIds::forget_before(UnixMs log_time) {
  while (!order_.empty() && order_.begin()->first <= log_time) {
    const EventId id = order_.begin()->second;
    if (added_.erase(id) == 0) removed_.push_back(id);
    until_.erase(id);
    order_.erase(order_.begin());
  }
}

Status JudgedIds::load(BytesView key, BytesView value) {
  if (key.size() != 16 || value.size() != 8) {
    return Error{ErrorCode::corrupt, "a stored judged id has the wrong length", ""};
  }
  const EventId id = EventId::derived(key);
  const UnixMs until{static_cast<std::int64_t>(get_be64(value))};
  until_.emplace(id, until);
  order_.emplace(until, id);
  return {};
}

const RateCard* CoreState::card(std::int64_t version) const {
  return cards.find(legality::card_key(version));
}

std::int64_t CoreState::epoch_of(DeciderRole role) const {
  const OwnerRow* owner = owners.find(std::string(enum_text(role)));
  return owner == nullptr ? 0 : owner->epoch;
}

}  // namespace sandtrail
