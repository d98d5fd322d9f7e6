// SPDX-License-Identifier: Apache-2.0
// What holds for every type: stamps, repeats, topic, organisation, actor, decider, idempotency.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

Event shifted(Event event, std::int64_t ms) {
  event.time = event.time + Millis{ms};
  return event;
}

Event as(Event event, std::optional<KeyId> key) {
  event.actor = Actor{};
  event.actor->key = key;
  return event;
}

Event under(Event event, std::optional<Decision> decision) {
  event.decision = decision;
  return event;
}

Event keyed(Event event, const std::string& key, const std::string& body) {
  event.idempotency = Idempotency{{key}, {body}};
  return event;
}

std::string reason_of(Harness& h, const Event& event) {
  return std::string(enum_text(h.fold(event).reason));
}

bool needs_organization(std::string_view type) {
  for (const auto free :
       {PlatformAdopted::kType, OwnerClaimed::kType, RulesActivated::kType, EffectParked::kType,
        EffectResolved::kType, LogRecordLost::kType, AuditAcknowledged::kType}) {
    if (type == free) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("envelope: ce_time may lie two minutes before and thirty seconds after its stamp") {
  Harness base = world();
  base.pass(hours(1));
  const auto at = [](std::int64_t ms) {
    return [ms](Harness& h) { return shifted(h.by_key(h.member, h.request()), ms); };
  };
  check_rows(base, {
                       {"two minutes before", at(-120'000), VoidReason::none},
                       {"a millisecond more", at(-120'001), VoidReason::stale},
                       {"a day before", at(-86'400'000), VoidReason::stale},
                       {"the year 0", at(-63'000'000'000'000), VoidReason::stale},
                       {"at the stamp", at(0), VoidReason::none},
                       {"thirty seconds after", at(30'000), VoidReason::none},
                       {"and a millisecond", at(30'001), VoidReason::ahead},
                       {"the year 9999", at(250'000'000'000'000), VoidReason::ahead},
                   });
}

TEST_CASE("envelope: an id is judged once, whatever became of the first, and is stale afterwards") {
  const Harness base = world();
  const struct {
    std::string name;
    std::function<Event(Harness&)> event;
    std::string first;
  } cases[] = {
      {"applied", [](Harness& h) { return h.by_key(h.member, h.request()); }, "none"},
      {"void", [](Harness& h) { return h.event(h.request()); }, "actor_missing"},
      {"ahead", [](Harness& h) { return shifted(h.by_key(h.member, h.request()), 30'001); },
       "ahead"},
      {"far ahead", [](Harness& h) { return shifted(h.by_key(h.member, h.request()), 400'000); },
       "ahead"},
      {"stale", [](Harness& h) { return shifted(h.by_key(h.member, h.request()), -120'001); },
       "stale"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    Harness h = base;
    const Event event = c.event(h);
    CHECK(reason_of(h, event) == c.first);
    const UnixMs known_until = std::max(h.now, event.time) + minutes(3);
    for (; h.now < known_until; h.pass(seconds(1))) {
      Harness branch = h;
      CHECK(reason_of(branch, event) == "repeated");
    }
    h.now = known_until;
    CHECK(reason_of(h, event) == "stale");
    CHECK(reason_of(h, event) == "repeated");
    h.pass(minutes(3));
    CHECK(reason_of(h, event) == "stale");
  }
}

TEST_CASE("envelope: an id is judged once across other events of other types") {
  Harness h = world();
  const Event first = h.by_key(h.member, h.request());
  Event second = h.event(h.claim(kLauncher));
  second.id = first.id;
  h.apply(first);
  CHECK(reason_of(h, second) == "repeated");
}

TEST_CASE("envelope: stamps that fall back do not bring a judged id back to life") {
  Harness h = world();
  const Event grant = h.by_operator(h.grant(5));  // nothing but its id keeps it from being repeated
  const UnixMs stamp = h.now;
  h.apply(grant);
  // Another broker's clock is ten minutes ahead; then the first one leads again.
  const Event other = shifted(h.event(h.claim(kBilling)), 600'000);
  CHECK(h.fold(other, stamp + minutes(10)).applied());
  CHECK(h.fold(grant, stamp + seconds(1)).reason == VoidReason::stale);
  CHECK(h.org_row().granted.count == kGrant + 5);
  CHECK(h.state().meta.log_time == stamp + minutes(10));
}

TEST_CASE("envelope: log time is the greatest stamp so far, also of records that are no events") {
  Harness h = world();
  FoldInput input;
  input.stamp = h.now + hours(2);
  for (const auto why : {VoidReason::malformed, VoidReason::unknown_type}) {
    input.unreadable = why;
    const Judgement judgement = h.core.fold(input);
    CHECK(judgement.reason == why);
    CHECK_FALSE(judgement.applied());
    CHECK_FALSE(judgement.stop);
  }
  input.stamp = h.now;
  h.core.fold(input);
  CHECK(h.state().meta.log_time == h.now + hours(2));
}

TEST_CASE("envelope: every type is void on a topic it does not belong to") {
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    for_each_event_type([kind]<typename T>() {
      CAPTURE(std::string(T::kType));
      Harness h(kind);
      const bool anywhere = std::is_same_v<T, OwnerClaimed> || std::is_same_v<T, RulesActivated> ||
                            std::is_same_v<T, EffectParked> || std::is_same_v<T, EffectResolved> ||
                            std::is_same_v<T, LogRecordLost> ||
                            std::is_same_v<T, AuditAcknowledged>;
      const bool belongs = anywhere || rule_of(T::kType).topic == kind;
      CHECK((h.fold(h.event(T{})).reason == VoidReason::wrong_topic) != belongs);
    });
  }
}

TEST_CASE("envelope: no type is legal for an organisation that the partition does not have") {
  const Harness base = world();
  for_each_event_type([&base]<typename T>() {
    CAPTURE(std::string(T::kType));
    if (rule_of(T::kType).topic != TopicKind::events) return;
    Harness h = base;
    h.org = h.id<OrgId>();
    for (const Event& event : {h.event(T{}), h.by_operator(T{}), h.by_key(h.admin, T{})}) {
      const auto reason = h.fold(event).reason;
      if constexpr (std::is_same_v<T, OrganizationCreated>) {
        CHECK(reason != VoidReason::none);
      } else {
        CHECK(reason == VoidReason::unknown_organization);
      }
    }
    if (!needs_organization(T::kType)) return;
    h.org = OrgId{};
    const auto decider = rule_of(T::kType).decider.value_or(kLauncher);
    for (const Event& event : {h.event(T{}), h.by_operator(T{}), h.decided(decider, T{})}) {
      CHECK_FALSE(h.fold(event).applied());
    }
  });
}

TEST_CASE("envelope: a type has an actor exactly if its rule says so") {
  const Harness base = world();
  for_each_event_type([&base]<typename T>() {
    CAPTURE(std::string(T::kType));
    const TypeRule& rule = rule_of(T::kType);
    if (rule.topic != TopicKind::events) return;
    Harness h = base;
    if (rule.actor == ActorRule::none) {
      for (Event event : {h.by_operator(T{}), h.by_key(h.admin, T{})}) {
        if (rule.decider) event.decision = Decision{*rule.decider, 1};
        CHECK(h.fold(event).reason == VoidReason::actor_unexpected);
      }
    } else {
      CHECK(h.fold(h.event(T{})).reason == VoidReason::actor_missing);
    }
    if (rule.actor == ActorRule::op) {
      CHECK(h.fold(h.by_key(h.admin, T{})).reason == VoidReason::missing_role);
      Event event = h.event(T{});
      event.actor = Actor{};
      event.actor->kind = ActorKind::unauthenticated;
      CHECK(h.fold(event).reason == VoidReason::missing_role);
    }
  });
}

TEST_CASE("envelope: an actor's key must be known, of this organisation, alive and allowed") {
  Harness base = world();
  auto temporary = base.key(KeyRole::member);
  temporary.expires = base.now + minutes(1);
  base.apply(base.by_operator(temporary));
  auto revoked = base.key(KeyRole::member);
  base.apply(base.by_operator(revoked));
  ApiKeyRevoked revocation;
  revocation.key = revoked.key;
  base.apply(base.by_key(base.admin, revocation));
  const KeyId unknown = base.id<KeyId>();

  const auto request_by = [](std::optional<KeyId> key, std::int64_t later_ms = 0) {
    return [key, later_ms](Harness& h) {
      h.pass({later_ms});
      return as(h.event(h.request()), key);
    };
  };
  const auto by_kind = [](ActorKind kind) {
    return [kind](Harness& h) {
      Event event = h.by_key(h.member, h.request());
      event.actor->kind = kind;
      return event;
    };
  };
  check_rows(base, {
                       {"member", request_by(base.member), VoidReason::none},
                       {"admin", request_by(base.admin), VoidReason::none},
                       {"viewer", request_by(base.viewer), VoidReason::missing_role},
                       {"auditor", request_by(base.auditor), VoidReason::missing_role},
                       {"no key", request_by(std::nullopt), VoidReason::key_unknown},
                       {"nil key", request_by(KeyId{}), VoidReason::key_unknown},
                       {"unknown", request_by(unknown), VoidReason::key_unknown},
                       {"another's", request_by(base.other_admin), VoidReason::key_unknown},
                       {"revoked", request_by(revoked.key), VoidReason::key_revoked},
                       {"alive", request_by(temporary.key, 59'999), VoidReason::none},
                       {"expired now", request_by(temporary.key, 60'000), VoidReason::key_expired},
                       {"operator", by_kind(ActorKind::op), VoidReason::none},
                       {"nobody, naming a key", by_kind(ActorKind::unauthenticated),
                        VoidReason::key_unknown},
                   });
}

TEST_CASE("envelope: a decision needs its own role's epoch in force") {
  const Harness base = world();
  for_each_event_type([&base]<typename T>() {
    CAPTURE(std::string(T::kType));
    const TypeRule& rule = rule_of(T::kType);
    if (!rule.decider || rule.topic != TopicKind::events) return;
    Harness h = base;
    const auto other = *rule.decider == kLauncher ? kBilling : kLauncher;
    for (const std::optional<Decision> decision :
         {std::optional<Decision>{}, std::optional(Decision{other, 1}),
          std::optional(Decision{*rule.decider, 0}), std::optional(Decision{*rule.decider, 2}),
          std::optional(Decision{*rule.decider, -1})}) {
      CHECK(h.fold(under(h.event(T{}), decision)).reason == VoidReason::stale_epoch);
    }
    CHECK(h.fold(h.decided(*rule.decider, T{})).reason != VoidReason::stale_epoch);
    h.apply(h.event(h.claim(*rule.decider)));
    CHECK(h.fold(under(h.event(T{}), Decision{*rule.decider, 1})).reason ==
          VoidReason::stale_epoch);
  });
}

TEST_CASE("envelope: before the first claim nobody decides") {
  for (const auto kind : {TopicKind::events, TopicKind::platform}) {
    Harness h(kind);  // and no organisation
    for_each_event_type([&h, kind]<typename T>() {
      CAPTURE(std::string(T::kType));
      const TypeRule& rule = rule_of(T::kType);
      if (!rule.decider || rule.topic != kind) return;
      CHECK(h.fold(h.decided(*rule.decider, T{})).reason == VoidReason::stale_epoch);
    });
    const auto parked = with(EffectParked{}, [](auto& b) { b.effect = "e"; });
    CHECK(h.fold(h.decided(kLauncher, parked)).reason == VoidReason::stale_epoch);
    CHECK(h.fold(h.decided(kAuditor, AuditAcknowledged{})).reason == VoidReason::stale_epoch);
  }
}

TEST_CASE("envelope: an idempotency key means one request, for a day of log time") {
  Harness base = world();
  Event first = keyed(base.by_key(base.member, base.request()), "key", "body");
  first.subject = "exe_first";
  base.apply(first);
  const UnixMs since = base.now;
  const auto again = [](const char* key, const char* body, Millis later = {}) {
    return [=](Harness& h) {
      h.pass(later);
      return keyed(h.by_key(h.member, h.request()), key, body);
    };
  };
  const auto of_other = [](Harness& h) {
    Event event = keyed(h.by_key(h.other_admin, h.request()), "key", "body");
    event.org = h.other_org;
    return event;
  };
  const auto by_viewer = [](Harness& h) {
    return keyed(h.by_key(h.viewer, h.request()), "key", "body");
  };
  const auto just_before = Millis{hours(24).count - 1};
  check_rows(base, {
                       {"replay", again("key", "body"), VoidReason::idempotent_replay},
                       {"conflict", again("key", "other"), VoidReason::idempotency_conflict},
                       {"other key", again("key2", "body"), VoidReason::none},
                       {"other organisation", of_other, VoidReason::none},
                       {"not for everybody", by_viewer, VoidReason::missing_role},
                   });
  const auto wait = [&base, since](Millis span) {
    Harness h = base;
    h.now = since + span;
    const Event event = keyed(h.by_key(h.member, h.request()), "key", "other");
    return reason_of(h, event);
  };
  CHECK(wait(just_before) == "idempotency_conflict");
  CHECK(wait(hours(24)) == "none");

  Harness h = base;
  CHECK(h.fold(again("key", "body")(h)).existing == "exe_first");
  CHECK(h.fold(again("key", "other")(h)).existing.empty());
  h.pass(hours(24));
  h.apply(again("key", "other")(h));
  CHECK(reason_of(h, again("key", "body")(h)) == "idempotency_conflict");
  CHECK(h.state().idempotency.size() == 1);
}

TEST_CASE("envelope: a void request leaves its idempotency key free") {
  Harness h = world();
  const Event refused = keyed(h.by_key(h.viewer, h.request()), "key", "body");
  CHECK(reason_of(h, refused) == "missing_role");
  const auto invalid = with(h.request(), [](auto& b) { b.network = "host"; });
  CHECK(reason_of(h, keyed(h.by_key(h.member, invalid), "key", "body")) == "invalid");
  CHECK(h.state().idempotency.size() == 0);
  h.apply(keyed(h.by_key(h.member, h.request()), "key", "other"));
}

TEST_CASE("envelope: attributes that are not text are void, so that every row can be stored") {
  const Harness base = world();
  const auto having = [](std::string Event::*member) {
    return [member](Harness& h) {
      Event event = keyed(h.by_key(h.member, h.request()), "key", "body");
      event.*member = "\xff";
      return event;
    };
  };
  check_rows(base, {
                       {"source", having(&Event::source), VoidReason::invalid},
                       {"subject", having(&Event::subject), VoidReason::invalid},
                       {"correlation", having(&Event::correlation), VoidReason::invalid},
                       {"causation", having(&Event::causation), VoidReason::invalid},
                       {"traceparent", having(&Event::traceparent), VoidReason::invalid},
                       {"request id", having(&Event::request_id), VoidReason::invalid},
                   });
}
