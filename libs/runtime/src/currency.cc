// SPDX-License-Identifier: Apache-2.0
#include "currency.h"

#include <algorithm>

namespace sandtrail {
namespace {

// Asking a log how it is costs a system call or a lock: not for every batch.
constexpr std::int64_t kHealthEveryUs = 100'000;
constexpr std::int64_t kPassedEveryUs = 1'000'000;
constexpr std::size_t kPassedMax = 600;

}  // namespace

void Currency::look(const FoldSight& sight, const EventLog& log) {
  const std::lock_guard lock(mutex_);
  if (!health_seen_us_ || sight.now_us - *health_seen_us_ >= kHealthEveryUs) {
    health_seen_us_ = sight.now_us;
    health_ = log.health();
  }
  if (!sight.refused) refused_since_ = {};
  if (sight.refused && refused_since_ == UnixMs{}) refused_since_ = sight.now;
  away_.reset();
  if (sight.refused) away_ = LogAway{refused_since_, sight.refused->message, sight.refused->code};
  if (health_.level != LogHealth::Level::ok) {
    away_ = LogAway{health_.since, health_.reason, health_.code};
  }
  const bool unreachable = away_ && away_->code == ErrorCode::unavailable;
  if (sight.at_tail && !unreachable) {
    current_at_ = sight.now;
    behind_since_.reset();
  } else if (!behind_since_) {
    // Never yet: what is folded is as old as the log's time in it.
    behind_since_ = current_at_.value_or(sight.log_time);
  }
  if (unreachable) behind_since_ = std::min(*behind_since_, away_->since);
  remember(sight);
}

void Currency::remember(const FoldSight& sight) {
  if (!passed_.empty() &&
      (passed_.back().next >= sight.next || sight.now_us - passed_.back().at_us < kPassedEveryUs)) {
    return;
  }
  passed_.push_back({sight.next, sight.now, sight.now_us});
  if (passed_.size() > kPassedMax) passed_.pop_front();
}

Millis Currency::behind(UnixMs now) const {
  const std::lock_guard lock(mutex_);
  if (!behind_since_) return {0};
  return std::max(Millis{0}, now - *behind_since_);
}

std::optional<LogAway> Currency::away() const {
  const std::lock_guard lock(mutex_);
  return away_;
}

std::optional<UnixMs> Currency::passed(Position position) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::find_if(passed_.begin(), passed_.end(),
                                  [&](const Passed& mark) { return mark.next > position; });
  if (after == passed_.begin() || after == passed_.end()) return std::nullopt;
  return after->at;
}

}  // namespace sandtrail
