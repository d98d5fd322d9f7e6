// SPDX-License-Identifier: Apache-2.0
#include "refusals.h"

#include "base/limits.h"
#include "obs/log.h"

namespace sandtrail::kafka {

void Refusals::note(const std::string& act, const Error& error, bool passes) {
  const UnixMs now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto [known, fresh] = refusals_.try_emplace(act);
  Refusal& refusal = known->second;
  if (fresh || (refusal.until && *refusal.until < now)) {
    log_warn("the brokers refuse what this process needs", {{"error", error}});
  }
  refusal.error = error;
  refusal.until.reset();
  if (passes) refusal.until = now + limits::kKafkaRefusalKept;
  count_ = refusals_.size();
}

void Refusals::allow(const std::string& act) {
  const std::lock_guard lock(mutex_);
  refusals_.erase(act);
  count_ = refusals_.size();
}

bool Refusals::just_noted(const std::string& act) const {
  const UnixMs soon = clock_.now() + Millis{limits::kKafkaRefusalKept.count / 2};
  const std::lock_guard lock(mutex_);
  const auto known = refusals_.find(act);
  return known != refusals_.end() && known->second.until && *known->second.until > soon;
}

std::optional<Error> Refusals::current() const {
  const UnixMs now = clock_.now();
  const std::lock_guard lock(mutex_);
  for (const auto& [act, refusal] : refusals_) {
    if (!refusal.until || *refusal.until >= now) return refusal.error;
  }
  return std::nullopt;
}

}  // namespace sandtrail::kafka
