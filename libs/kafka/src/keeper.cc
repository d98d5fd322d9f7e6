// SPDX-License-Identifier: Apache-2.0
#include "keeper.h"

#include <chrono>

#include "obs/log.h"

namespace sandtrail::kafka {

Keeper::Keeper(Admin& admin, Producer& producer, LogState& state, const Clock& clock,
               std::function<Status()> each_time)
    : admin_(admin),
      producer_(producer),
      state_(state),
      clock_(clock),
      each_time_(std::move(each_time)),
      last_contact_(clock.now()) {
  health_ = {LogHealth::Level::degraded, "no broker has answered yet", last_contact_};
}

Keeper::~Keeper() {
  stop();
}

void Keeper::start() {
  thread_ = std::thread([this] { run(); });
}

void Keeper::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  changed_.notify_all();
}

void Keeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

LogHealth Keeper::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void Keeper::run() {
  for (;;) {
    look();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(limits::kKafkaContactInterval.count),
                      [this] { return stopped_ || nudged_; });
    if (stopped_) return;
    nudged_ = false;
  }
}

void Keeper::look() {
  if (const Status renewed = producer_.renew(); !renewed.ok()) {
    log_warn("no new producer yet", {{"error", renewed.error()}});
  }
  const Status contact = admin_.contact(limits::kKafkaContactTimeout);
  const Status there = contact.ok() ? each_time_() : Status();
  const UnixMs now = clock_.now();
  state_.away = !contact.ok();
  Error trouble{ErrorCode::unavailable, producer_.broken(), ""};
  if (const auto refusal = state_.refusals.current()) trouble = *refusal;
  if (!contact.ok()) trouble = contact.error();
  if (!there.ok()) trouble = there.error();
  const std::string reason = trouble.message.empty() ? "" : trouble.text();
  LogHealth before;
  {
    const std::lock_guard lock(mutex_);
    before = health_;
    if (contact.ok()) last_contact_ = now;
    if (reason.empty()) {
      health_ = {};
    } else if (before.level == LogHealth::Level::ok) {
      health_ = {LogHealth::Level::degraded, reason, contact.ok() ? now : last_contact_,
                 trouble.code};
    } else {
      health_.reason = reason;
      health_.code = trouble.code;
    }
  }
  if (reason.empty() && before.level != LogHealth::Level::ok) {
    log_info("in touch with the brokers", {{"away_ms", (now - before.since).count}});
  } else if (!reason.empty() && before.level == LogHealth::Level::ok &&
             trouble.code != ErrorCode::denied) {  // which the refusals have told
    log_warn("the log is away", {{"reason", reason}});
  }
}

}  // namespace sandtrail::kafka
