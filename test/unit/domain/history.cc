// SPDX-License-Identifier: Apache-2.0
#include "history.h"

#include <limits>

namespace sandtrail::test {
namespace {

// Numbers of a body, wherever they stand: counts them, and changes the one at `target`.
struct NumberChanger {
  std::size_t seen = 0;
  std::size_t target = 0;
  std::int64_t value = 0;
  bool relative = true;

  template <typename T>
  void operator()(std::string_view, T& member) {
    visit(member);
  }
  template <typename T>
  void with_default(std::string_view, T& member) {
    visit(member);
  }
  template <typename T>
  void visit(T& member) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      if (seen++ == target) member = relative ? member + value : value;
    } else if constexpr (reflect::Counted<T>) {
      visit(member.count);
    } else if constexpr (reflect::is_optional<T>) {
      if (member) visit(*member);
    } else if constexpr (reflect::is_vector<T>) {
      for (auto& item : member) visit(item);
    } else if constexpr (reflect::Described<T>) {
      T::fields(member, *this);
    }
  }
};

}  // namespace

Judgement fold_record(Core& core, const Record& record) {
  FoldInput input;
  input.position = record.position;
  input.stamp = record.stamp;
  input.event = record.readable ? &record.event : nullptr;
  input.value = "value";
  return core.fold(input);
}

History::History(std::uint64_t seed) : random_(seed), start_(TopicKind::events) {
  static const Harness kWorld = world();
  h_ = kWorld;
  organizations_.push_back({h_.org, h_.admin, h_.member, h_.viewer, {}, {}, {}});
  for (std::size_t more = below(3); more > 0; --more) add_organization();
  start_ = h_.core;
}

void History::add_organization() {
  h_.org = h_.id<OrgId>();
  auto body = h_.organization();
  body.grant = {static_cast<std::int64_t>(below(40)) * kMicroCreditsPerCredit};
  h_.apply(h_.by_operator(body));
  Organization added;
  added.org = h_.org;
  for (auto [key, role] : {std::pair(&added.admin, KeyRole::admin),
                           {&added.member, KeyRole::member},
                           {&added.viewer, KeyRole::viewer}}) {
    const auto created = h_.key(role);
    h_.apply(h_.by_operator(created));
    *key = created.key;
  }
  organizations_.push_back(std::move(added));
}

void History::pass_time() {
  const std::size_t kind = below(100);
  if (kind < 50) h_.pass({static_cast<std::int64_t>(below(3000))});
  if (kind >= 88) h_.pass({static_cast<std::int64_t>(below(200'000))});
  if (kind >= 97) h_.pass({static_cast<std::int64_t>(below(46'000'000))});
}

Judgement History::step() {
  pass_time();
  Record record;
  record.event = next_event();
  record.readable = !chance(2);
  record.position = h_.position++;
  record.stamp = h_.now;
  if (chance(5)) record.stamp = h_.now - Millis{static_cast<std::int64_t>(below(90'000))};
  if (chance(1)) record.stamp = h_.now + Millis{static_cast<std::int64_t>(below(300'000))};
  const Judgement judgement = fold_record(h_.core, record);
  records_.push_back(std::move(record));
  return judgement;
}

Event History::next_event() {
  if (!records_.empty() && chance(7)) {  // a record of late again, or its id with other content
    const std::size_t back = below(std::min<std::size_t>(records_.size(), 40)) + 1;
    const Event& earlier = records_[records_.size() - back].event;
    if (chance(70)) return earlier;
    Event event = fresh_event();
    event.id = earlier.id;
    event.time = earlier.time;
    return event;
  }
  if (!delayed_.empty() && chance(20)) {
    std::swap(delayed_[below(delayed_.size())], delayed_.back());
    Event event = std::move(delayed_.back());
    delayed_.pop_back();
    return event;
  }
  if (chance(15)) delayed_.push_back(fresh_event());
  return fresh_event();
}

Event History::fresh_event() {
  now_acting_ = &organizations_[below(organizations_.size())];
  h_.org = now_acting_->org;
  h_.admin = now_acting_->admin;
  h_.member = now_acting_->member;
  const auto& executions = now_acting_->executions;
  const std::size_t kind = below(100);
  Event event;
  if (executions.empty() || kind < 15) {
    event = request();
  } else if (kind < 70) {
    const std::size_t recent = std::min<std::size_t>(executions.size(), 6);
    event = likely_step(executions[executions.size() - 1 - below(recent)]);
  } else if (kind < 78) {
    event = step_of(pick(executions), below(12));
  } else if (kind < 88) {
    event = delivery_step();
  } else if (kind < 95) {
    event = control_step();
  } else {
    event = system_step();
  }
  return chance(12) ? spoiled(std::move(event)) : event;
}

Event History::request() {
  auto body = h_.request(static_cast<std::int64_t>(below(3)) + 1);
  body.callback = chance(30);
  if (chance(20)) body.retention.reset();
  body.limits.wall_ms = 10 + static_cast<std::int64_t>(below(20'000));
  body.limits.memory_mib = 8 + static_cast<std::int64_t>(below(1000));
  KeyId key = chance(5) ? now_acting_->viewer : h_.member;
  if (!now_acting_->keys.empty() && chance(20)) key = pick(now_acting_->keys);
  Event event = h_.by_key(key, body);
  event.subject = body.execution.text();
  if (chance(50)) {
    event.idempotency = Idempotency{{std::to_string(below(6))}, {std::to_string(below(2))}};
  }
  now_acting_->executions.push_back(body.execution);
  return event;
}

Event History::step_of(const ExecutionId& x, std::size_t which) {
  switch (which) {
    case 0:
      return h_.decided(kLauncher, h_.reject(x));
    case 1:
      return h_.decided(kLauncher, h_.assign(x));
    case 2:
      return h_.event(h_.refuse(x));
    case 3:
      return h_.event(h_.start(x));
    case 4:
      return h_.decided(kLauncher, h_.lose_attempt(x));
    case 5:
      return h_.event(h_.finish(x, static_cast<std::int64_t>(below(30'000'000))));
    case 6:
      return h_.by_key(h_.member, h_.ask_cancel(x));
    case 7:
      return h_.decided(kLauncher, h_.cancel(x));
    case 8:
      return h_.decided(kLauncher, h_.lose(x));
    case 9:
      return h_.decided(kBilling, h_.settle(x));
    case 10:
      return h_.decided(kRetention, h_.erase(x));
    default:
      return h_.decided(kRetention, h_.destroy_key(x));
  }
}

Event History::likely_step(const ExecutionId& x) {
  using Steps = std::vector<std::size_t>;
  const ExecutionRow* row = h_.state().executions.find(x);
  if (row == nullptr) return request();
  if (row->status == ExecutionStatus::requested) {
    return step_of(x, row->cancel_requested ? 7 : pick(Steps{1, 1, 1, 1, 1, 1, 0, 6}));
  }
  if (row->status == ExecutionStatus::assigned) {
    return step_of(x, pick(Steps{3, 3, 3, 3, 2, 4, 5, 5, 6, 8}));
  }
  if (row->status == ExecutionStatus::started) return step_of(x, pick(Steps{5, 5, 5, 4, 6, 8}));
  if (!row->settled && chance(70)) return step_of(x, 9);
  if (!row->notify.empty()) {
    const std::string& receiver = pick(row->notify);
    return h_.decided(kWebhooks, h_.schedule(x, EndpointId::parse(receiver)));
  }
  return step_of(x, row->erased ? 11 : 10);
}

Event History::delivery_step() {
  std::vector<DeliveryId> open;
  for (const auto& [id, row] : h_.state().deliveries.rows()) {
    if (row.org == h_.org) open.push_back(id);
  }
  const DeliveryId d = open.empty() ? h_.id<DeliveryId>() : pick(open);
  const std::size_t kind = below(10);
  if (kind < 4) return h_.decided(kWebhooks, h_.attempt(d));
  if (kind < 8) return h_.decided(kWebhooks, h_.deliver(d));
  return h_.decided(kWebhooks, h_.exhaust(d));
}

Event History::control_step() {
  auto& endpoints = now_acting_->endpoints;
  auto& keys = now_acting_->keys;
  const std::size_t kind = below(endpoints.empty() || keys.empty() ? 4 : 7);
  if (kind <= 1) {
    const auto body = h_.endpoint(chance(50) ? std::vector<std::string>{"execution.finished"}
                                             : std::vector<std::string>{});
    endpoints.push_back(body.endpoint);
    return h_.by_key(h_.admin, body);
  }
  if (kind == 2) {
    auto body = h_.key(KeyRole::member);
    if (chance(50)) body.expires = h_.now + hours(1);
    keys.push_back(body.key);
    return h_.by_key(h_.admin, body);
  }
  if (kind == 3) {
    OrganizationLimitsChanged body;
    body.organization = h_.org;
    body.limits = {static_cast<std::int64_t>(below(8)), static_cast<std::int64_t>(below(6))};
    Event event = h_.by_operator(body);
    event.expected_version = h_.org_row().version - (chance(20) ? 1 : 0);
    return event;
  }
  if (kind == 4) {
    ApiKeyRevoked body;
    body.key = pick(keys);
    return h_.by_key(h_.admin, body);
  }
  if (kind == 5) {
    WebhookEndpointDeleted body;
    body.endpoint = pick(endpoints);
    return h_.by_key(h_.admin, body);
  }
  WebhookEndpointDisabled body;
  body.endpoint = pick(endpoints);
  body.reason = "gone";
  return h_.decided(kWebhooks, body);
}

Event History::system_step() {
  const auto role = static_cast<DeciderRole>(below(5));
  switch (below(6)) {
    case 0:
      return h_.event(h_.claim(role));
    case 1:
      return h_.by_operator(h_.grant(static_cast<std::int64_t>(below(20)) * kPrice));
    case 2: {
      const auto price = static_cast<std::int64_t>(below(3)) * kPrice / 2;
      return h_.decided(kBilling, h_.adopt(h_.state().meta.rate_card + 1, price));
    }
    case 3: {
      EffectParked body;
      body.effect = std::to_string(below(3));
      return h_.decided(role, body);
    }
    case 4: {
      EffectResolved body;
      body.role = role;
      body.effect = std::to_string(below(3));
      body.action = chance(50) ? EffectAction::retry : EffectAction::skip;
      return h_.by_operator(body);
    }
    default: {
      AuditAcknowledged body;
      body.through = h_.position - 1 - static_cast<std::int64_t>(below(20));
      return h_.decided(kAuditor, body);
    }
  }
}

EventBody History::spoiled_body(EventBody body) {
  NumberChanger counter;
  counter.target = std::numeric_limits<std::size_t>::max();
  std::visit([&](auto& b) { counter.visit(b); }, body);
  if (counter.seen == 0) return body;
  NumberChanger changer;
  changer.target = below(counter.seen);
  constexpr std::int64_t kExtremes[] = {0, -1, std::numeric_limits<std::int64_t>::max(),
                                        std::numeric_limits<std::int64_t>::min()};
  changer.relative = chance(60);
  changer.value = changer.relative ? (chance(50) ? 1 : -1) : kExtremes[below(4)];
  std::visit([&](auto& b) { changer.visit(b); }, body);
  return body;
}

Event History::spoiled(Event event) {
  switch (below(7)) {
    case 0:  // an owner that does not know that it was replaced, or one that runs ahead
      if (event.decision) event.decision->epoch += chance(70) ? -1 : 1;
      return event;
    case 1:
      event.decision.reset();
      return event;
    case 2:
      event.org = pick(organizations_).org;
      return event;
    case 3:
      if (event.actor) {
        event.actor.reset();
      } else {
        event.actor = Actor{};
      }
      return event;
    case 4:
      event.time = event.time + Millis{static_cast<std::int64_t>(below(400'000)) - 200'000};
      return event;
    default:
      event.body = spoiled_body(std::move(event.body));
      return event;
  }
}

}  // namespace sandtrail::test
