// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <doctest/doctest.h>

#include <set>

namespace sandtrail::test {

Judgement Harness::fold(const Event& event, UnixMs stamp) {
  FoldInput input;
  input.position = position++;
  input.stamp = stamp;
  input.event = &event;
  input.value = "value";
  return core.fold(input);
}

void Harness::apply(const Event& event) {
  const Judgement judgement = fold(event);
  INFO(std::string(type_of(event.body)));
  REQUIRE(std::string(enum_text(judgement.reason)) == "none");
}

std::string Harness::drain_into(Rows& rows) {
  std::set<char> letters;
  core.drain(
      [&](Bytes key, Bytes value) {
        auto [found, added] = rows.emplace(key, value);
        if (!added && found->second == value) return;
        letters.insert(key.front());
        found->second = std::move(value);
      },
      [&](const Bytes& key) {
        if (rows.erase(key) > 0) letters.insert(key.front());
      });
  return std::string(letters.begin(), letters.end());
}

Event Harness::event(EventBody body) {
  Event out;
  out.id = id<EventId>();
  out.time = now;
  out.org = org;
  out.subject = "subject";
  out.body = std::move(body);
  return out;
}

Event Harness::by_key(const KeyId& key, EventBody body) {
  Event out = event(std::move(body));
  out.actor = Actor{};
  out.actor->key = key;
  return out;
}

Event Harness::by_operator(EventBody body) {
  Event out = event(std::move(body));
  out.actor = Actor{};
  out.actor->kind = ActorKind::op;
  return out;
}

Event Harness::decided(DeciderRole role, EventBody body) {
  Event out = event(std::move(body));
  out.decision = Decision{role, core.state().epoch_of(role)};
  return out;
}

ExecutionId Harness::requested(std::int64_t attempts_max) {
  const auto body = request(attempts_max);
  apply(by_key(member, body));
  return body.execution;
}

ExecutionId Harness::assigned(std::int64_t attempts_max) {
  const ExecutionId x = requested(attempts_max);
  apply(decided(kLauncher, assign(x)));
  return x;
}

ExecutionId Harness::started(std::int64_t attempts_max) {
  const ExecutionId x = assigned(attempts_max);
  apply(event(start(x)));
  return x;
}

ExecutionId Harness::finished() {
  const ExecutionId x = started();
  apply(event(finish(x)));
  return x;
}

ExecutionId Harness::settled() {
  const ExecutionId x = finished();
  apply(decided(kBilling, settle(x)));
  return x;
}

EndpointId Harness::add_endpoint(std::vector<std::string> filters) {
  const auto body = endpoint(std::move(filters));
  apply(by_key(admin, body));
  return body.endpoint;
}

namespace {

KeyId add_key(Harness& h, KeyRole role) {
  const auto body = h.key(role);
  h.apply(h.by_operator(body));
  return body.key;
}

}  // namespace

Harness world() {
  Harness h;
  for (const auto role : {kLauncher, kBilling, kRetention, kWebhooks, kAuditor}) {
    h.apply(h.event(h.claim(role)));
  }
  h.apply(h.decided(kBilling, h.adopt(1, kPrice)));
  for (OrgId* org : {&h.other_org, &h.org}) {
    h.org = *org = h.id<OrgId>();
    h.apply(h.by_operator(h.organization()));
    h.admin = add_key(h, KeyRole::admin);
    if (org == &h.other_org) h.other_admin = h.admin;
  }
  h.member = add_key(h, KeyRole::member);
  h.viewer = add_key(h, KeyRole::viewer);
  h.auditor = add_key(h, KeyRole::auditor);
  return h;
}

void check_rows(const Harness& base, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Harness h = base;
    Rows stored;
    h.drain_into(stored);
    const Event event = row.event(h);
    CHECK(enum_text(h.fold(event).reason) == enum_text(row.expected));
    const std::string changed = h.drain_into(stored);
    if (row.expected == VoidReason::none) continue;
    // Judged ids, and the log time and greatest position in the meta row.
    CHECK(changed.find_first_not_of("jm") == std::string::npos);
  }
}

}  // namespace sandtrail::test
