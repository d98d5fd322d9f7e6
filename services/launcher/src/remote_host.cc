// SPDX-License-Identifier: Apache-2.0
#include "remote_host.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/text.h"
#include "crypto/secret.h"

namespace sandtrail {
namespace {

// More than an honest host can hold: launches of which it has not said yet that it refused them
// come on top.
constexpr std::size_t kTrackedMax = 2 * (limits::kHostKeptResultsMax + limits::kSlotsMax);

void run(const std::vector<std::function<void()>>& actions) {
  for (const auto& action : actions) action();
}

http::Response orders_response(Bytes body) {
  http::Response response;
  response.fields.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace

http::Response protocol_error(int status, std::string code, std::string detail) {
  http::Response response;
  response.status = status;
  response.fields.add("Content-Type", "application/json");
  response.body = to_text(ProtocolError{std::move(code), std::move(detail)});
  return response;
}

RemoteHost::RemoteHost(HostInfo info, std::string session, std::string name, const Clock& clock)
    : info_(std::move(info)),
      session_(std::move(session)),
      name_(std::move(name)),
      clock_(clock),
      fetched_us_(clock.monotonic_us()),
      heard_us_(fetched_us_),
      unapplied_(std::make_shared<std::atomic<std::size_t>>(0)) {}

RemoteHost::~RemoteHost() {
  for (Order& order : orders_) wipe(order.text);
}

bool RemoteHost::silent_locked() const {
  return waiting_ == nullptr &&
         clock_.monotonic_us() - fetched_us_ > limits::kHostSilent.count * 1000;
}

int RemoteHost::room() const {
  const std::lock_guard lock(mutex_);
  if (closed_ || overrun_ || load_.draining || silent_locked()) return 0;
  return std::max(0, info_.slots - static_cast<int>(load_.elsewhere));
}

void RemoteHost::attach(HostEvents& events) {
  events_ = &events;
}

// False if the session is over.
bool RemoteHost::add_locked(const HostOrder& order, std::int32_t partition,
                            std::optional<AttemptKey> launch) {
  if (closed_ || overrun_) return false;
  if (orders_.size() >= limits::kHostOrdersQueuedMax) {
    overrun_ = true;
    return false;
  }
  Order added;
  added.number = ++last_number_;
  added.text = order_text(added.number, order);
  added.partition = partition;
  added.launch = launch;
  orders_.push_back(std::move(added));
  return true;
}

void RemoteHost::launch(LaunchOrder order) {
  const AttemptKey key{order.execution, order.attempt};
  const std::int32_t partition = order.by.partition;
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    if (tracked_.contains(key)) return;
    if (order.host_epoch != info_.epoch || !add_locked(std::move(order), partition, key)) {
      never_sent_locked(partition, key, actions);
    } else {
      tracked_[key] = {partition, last_number_};
      answer_locked(actions);
    }
  }
  run(actions);
}

void RemoteHost::cancel(const OrderAuthority& by, const ExecutionId& execution,
                        std::int64_t attempt) {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    if (!tracked_.contains({execution, attempt})) return;
    if (add_locked(CancelOrder{by, execution, attempt}, by.partition, {})) answer_locked(actions);
  }
  run(actions);
}

void RemoteHost::acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                             std::int64_t attempt) {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    tracked_.erase({execution, attempt});
    if (add_locked(AcknowledgeOrder{by, execution, attempt}, by.partition, {})) {
      answer_locked(actions);
    }
  }
  run(actions);
}

void RemoteHost::take_over(const OrderAuthority& by) {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    answered_.erase(by.partition);
    if (add_locked(TakeOverOrder{by}, by.partition, {})) {
      taking_over_[by.partition] = last_number_;
      answer_locked(actions);
    }
  }
  run(actions);
}

Holding RemoteHost::holding(std::int32_t partition, const ExecutionId& execution,
                            std::int64_t attempt) const {
  const std::lock_guard lock(mutex_);
  if (closed_) return Holding::unknown;
  if (tracked_.contains({execution, attempt})) return Holding::yes;
  return answered_.contains(partition) ? Holding::no : Holding::unknown;
}

void RemoteHost::fetch(std::int64_t after, std::shared_ptr<http::Responder> responder) {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      actions.push_back([responder] {
        responder->respond(protocol_error(404, "unknown_session", "the session is over"));
      });
    } else {
      while (!orders_.empty() && orders_.front().number <= after) {
        wipe(orders_.front().text);
        orders_.pop_front();
      }
      if (waiting_ != nullptr) {
        // The host asks again: nobody waits for that answer any more.
        actions.push_back([old = std::exchange(waiting_, nullptr)] {
          old->respond(orders_response(orders_text({})));
        });
      }
      const bool was_silent = silent_locked();
      waiting_ = responder;
      waiting_since_us_ = clock_.monotonic_us();
      fetched_us_ = waiting_since_us_;
      answer_locked(actions);
      if (was_silent) {
        actions.push_back([this] {
          if (events_ != nullptr) events_->on_room(info_.id);
        });
      }
    }
  }
  run(actions);
  responder->on_closed([weak = weak_from_this(), raw = responder.get()] {
    if (const auto self = weak.lock()) self->forget_waiting(raw);
  });
}

void RemoteHost::forget_waiting(const http::Responder* responder) {
  std::shared_ptr<http::Responder> dropped;  // outside the lock: it calls back
  const std::lock_guard lock(mutex_);
  if (waiting_.get() != responder) return;
  dropped.swap(waiting_);
  fetched_us_ = clock_.monotonic_us();
}

// Whoever waits gets what there is.
void RemoteHost::answer_locked(Actions& actions) {
  if (waiting_ == nullptr || orders_.empty()) return;
  std::vector<std::string_view> texts;
  std::size_t bytes = 0;
  for (Order& order : orders_) {
    if (bytes > 0 && bytes + order.text.size() > limits::kHostOrdersBytesMax) break;
    bytes += order.text.size();
    texts.push_back(order.text);
    order.sent = true;
  }
  fetched_us_ = clock_.monotonic_us();
  auto body = std::make_shared<Bytes>(orders_text(texts));
  actions.push_back([to = std::exchange(waiting_, nullptr), body] {
    to->respond(orders_response(std::move(*body)));
  });
}

void RemoteHost::heard(const HostLoad& load) {
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    heard_us_ = clock_.monotonic_us();
    more = load.elsewhere < load_.elsewhere || (load_.draining && !load.draining);
    load_ = load;
    load_.elsewhere = std::clamp<std::int64_t>(load_.elsewhere, 0, info_.slots);
  }
  if (more && events_ != nullptr) events_->on_room(info_.id);
}

Status RemoteHost::hear(HostWords words, std::size_t body_bytes) {
  const auto total = unapplied_;
  if (total->fetch_add(body_bytes) + body_bytes > limits::kHostUnappliedBytesMax) {
    total->fetch_sub(body_bytes);
    return Error{ErrorCode::overloaded, "too many reports wait to be applied", ""};
  }
  // One count for the whole body, until the last of its reports is gone.
  const std::shared_ptr<const void> memory(
      total.get(), [total, body_bytes](const void*) { total->fetch_sub(body_bytes); });
  Actions actions;
  bool sane = true;
  {
    const std::lock_guard lock(mutex_);
    for (HostWord& word : words.words) {
      if (closed_) break;
      if (const auto* taken = std::get_if<TakenOver>(&word)) {
        sane = reconcile_locked(*taken, actions);
        if (!sane) break;
        continue;
      }
      auto report = std::make_shared<HostReport>(std::move(std::get<HostReport>(word)));
      report->host = info_.id;
      report->memory = memory;
      if (std::holds_alternative<ExecutionRefused>(report->what)) {
        tracked_.erase({report->execution, report->attempt});
      }
      actions.push_back([this, report] { events_->on_report(std::move(*report)); });
    }
  }
  run(actions);
  if (!sane) return Error{ErrorCode::invalid_argument, "no host holds so much", ""};
  heard(words.load);
  return {};
}

// The host's list is the truth about all that was ordered before the question.
bool RemoteHost::reconcile_locked(const TakenOver& taken, Actions& actions) {
  const auto asked = taking_over_.find(taken.partition);
  if (asked == taking_over_.end() || asked->second != taken.order) return true;  // asked anew since
  if (tracked_.size() + taken.held.size() > kTrackedMax) return false;
  std::set<AttemptKey> held;
  for (const HeldAttempt& attempt : taken.held) held.insert({attempt.execution, attempt.attempt});
  std::erase_if(tracked_, [&](const auto& entry) {
    return entry.second.partition == taken.partition && entry.second.number < taken.order &&
           !held.contains(entry.first);
  });
  for (const AttemptKey& key : held) tracked_.try_emplace(key, Tracked{taken.partition, 0});
  taking_over_.erase(asked);
  answered_.insert(taken.partition);
  actions.push_back(
      [this, partition = taken.partition] { events_->on_taken_over(info_.id, partition); });
  return true;
}

void RemoteHost::never_sent_locked(std::int32_t partition, const AttemptKey& key,
                                   Actions& actions) {
  actions.push_back([this, partition, key] {
    if (events_ != nullptr) events_->on_never_sent(partition, key.first, key.second);
  });
}

void RemoteHost::withdraw_unsent_locked(Actions& actions) {
  for (Order& order : orders_) {
    if (!order.launch || order.sent) continue;
    tracked_.erase(*order.launch);
    never_sent_locked(order.partition, *order.launch, actions);
    wipe(order.text);
  }
  std::erase_if(orders_, [](const Order& order) { return order.text.empty(); });
}

void RemoteHost::tick() {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    const std::int64_t now_us = clock_.monotonic_us();
    if (waiting_ != nullptr && now_us - waiting_since_us_ >= limits::kHostPollWait.count * 1000) {
      fetched_us_ = now_us;
      actions.push_back([to = std::exchange(waiting_, nullptr)] {
        to->respond(orders_response(orders_text({})));
      });
    }
    if (silent_locked()) withdraw_unsent_locked(actions);
  }
  run(actions);
}

bool RemoteHost::lapsed(Millis lease) const {
  const std::lock_guard lock(mutex_);
  return overrun_ || clock_.monotonic_us() - heard_us_ > lease.count * 1000;
}

void RemoteHost::close(const http::Response& farewell) {
  Actions actions;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    withdraw_unsent_locked(actions);
    for (Order& order : orders_) wipe(order.text);
    orders_.clear();
    tracked_.clear();
    if (waiting_ != nullptr) {
      actions.push_back(
          [to = std::exchange(waiting_, nullptr), farewell] { to->respond(farewell); });
    }
  }
  run(actions);
}

}  // namespace sandtrail
