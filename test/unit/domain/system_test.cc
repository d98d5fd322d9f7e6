// SPDX-License-Identifier: Apache-2.0
// Legality of events about the log itself: one event a row, what becomes of it last.
#include <doctest/doctest.h>

#include "crypto/merkle.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr auto kNone = VoidReason::none;
constexpr auto kNotFound = VoidReason::not_found;
constexpr auto kOutOfOrder = VoidReason::out_of_order;

Event park(Harness& h, DeciderRole role, const std::string& effect) {
  EffectParked body;
  body.effect = effect;
  body.error = "it keeps failing";
  return h.decided(role, body);
}

Event resolve(Harness& h, DeciderRole role, const std::string& effect, EffectAction action) {
  EffectResolved body;
  body.role = role;
  body.effect = effect;
  body.action = action;
  return h.by_operator(body);
}

AuditRecorded audited(const std::string& topic, std::int64_t partition, std::int64_t previous,
                      std::int64_t position) {
  AuditRecorded out;
  out.source = {topic, partition, position, previous};
  return out;
}

}  // namespace

TEST_CASE("system: a role is claimed at exactly the next epoch, on every topic") {
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    Harness base(kind);
    const auto claim = [](DeciderRole role, std::int64_t epoch) {
      return [=](Harness& h) {
        return h.event(with(h.claim(role), [=](auto& b) { b.epoch = epoch; }));
      };
    };
    check_rows(base, {{"first", claim(kAuditor, 1), kNone},
                      {"zero", claim(kAuditor, 0), VoidReason::stale_epoch},
                      {"second", claim(kAuditor, 2), VoidReason::stale_epoch}});
    base.apply(claim(kAuditor, 1)(base));
    check_rows(base, {{"first again", claim(kAuditor, 1), VoidReason::stale_epoch},
                      {"second", claim(kAuditor, 2), kNone},
                      {"left out one", claim(kAuditor, 3), VoidReason::stale_epoch},
                      {"of another role", claim(kBilling, 1), kNone}});
  }
}

TEST_CASE("system: of two that claim the same epoch the first owns it") {
  Harness h = world();
  auto first = h.claim(kLauncher);
  auto second = first;
  first.instance = "first";
  second.instance = "second";
  h.apply(h.event(first));
  CHECK(h.fold(h.event(second)).reason == VoidReason::stale_epoch);
  CHECK(h.state().owners.find("launcher")->instance == "first");
}

TEST_CASE("system: rules that are not known stop the partition and leave no trace") {
  const auto activate = [](std::int64_t number) {
    return [number](Harness& h) {
      RulesActivated body;
      body.number = number;
      return h.by_operator(body);
    };
  };
  Harness h = world();
  for (const std::int64_t number : {-1, 0, 1, 3, 1000}) {
    const Judgement judgement = h.fold(activate(number)(h));
    CHECK(judgement.reason == VoidReason::version_mismatch);
    CHECK_FALSE(judgement.stop);
  }
  static_assert(kRulesKnown == 1);
  Rows rows;
  h.drain_into(rows);
  const Event unknown = activate(2)(h);
  for (int i = 0; i < 3; ++i) {  // a newer binary will judge the same record again
    const Judgement judgement = h.fold(unknown);
    CHECK(judgement.stop);
    CHECK_FALSE(judgement.applied());
    CHECK(h.drain_into(rows).empty());
    CHECK(h.state().meta.rules == 1);
  }
  check_rows(h, {{"by a key", [](Harness& b) { return b.by_key(b.admin, RulesActivated{}); },
                  VoidReason::missing_role}});
}

TEST_CASE("system: an effect is parked once by its role, until an operator resolves it") {
  Harness base = world();
  const auto parked = [](DeciderRole role, std::string effect) {
    return [=](Harness& h) { return park(h, role, effect); };
  };
  const auto resolved = [](DeciderRole role, std::string effect, EffectAction action) {
    return [=](Harness& h) { return resolve(h, role, effect, action); };
  };
  const auto stale = [](std::int64_t epoch) {
    return [epoch](Harness& h) {
      Event event = park(h, kWebhooks, "e");
      event.decision->epoch = epoch;
      return event;
    };
  };
  check_rows(base, {
                       {"parked", parked(kWebhooks, "e"), kNone},
                       {"nameless", parked(kWebhooks, ""), VoidReason::invalid},
                       {"older epoch", stale(0), VoidReason::stale_epoch},
                       {"newer epoch", stale(2), VoidReason::stale_epoch},
                       {"by nobody",
                        [](Harness& h) {
                          Event event = park(h, kWebhooks, "e");
                          event.decision.reset();
                          return event;
                        },
                        VoidReason::stale_epoch},
                       {"not parked", resolved(kWebhooks, "e", EffectAction::retry), kNotFound},
                   });
  base.apply(park(base, kWebhooks, "e"));
  check_rows(base, {
                       {"again", parked(kWebhooks, "e"), VoidReason::already_exists},
                       {"of another role", parked(kLauncher, "e"), kNone},
                       {"another", parked(kWebhooks, "e2"), kNone},
                       {"retry", resolved(kWebhooks, "e", EffectAction::retry), kNone},
                       {"skip", resolved(kWebhooks, "e", EffectAction::skip), kNone},
                       {"of no role", resolved(kBilling, "e", EffectAction::skip), kNotFound},
                   });
  Harness retried = base;
  retried.apply(resolve(retried, kWebhooks, "e", EffectAction::retry));
  check_rows(retried, {{"twice", resolved(kWebhooks, "e", EffectAction::retry), kNotFound},
                       {"parked anew", parked(kWebhooks, "e"), kNone}});
  Harness skipped = base;
  skipped.apply(resolve(skipped, kWebhooks, "e", EffectAction::skip));
  CHECK(skipped.state().parked.find("webhooks/e")->skipped);
  check_rows(skipped, {{"twice", resolved(kWebhooks, "e", EffectAction::skip), kNotFound},
                       {"for ever", resolved(kWebhooks, "e", EffectAction::retry), kNotFound},
                       {"parked", parked(kWebhooks, "e"), VoidReason::already_exists}});
}

TEST_CASE("system: audit entries follow each other without gap in each source partition") {
  Harness h(TopicKind::audit);
  const struct {
    std::string topic;
    std::int64_t partition, previous, position;
    VoidReason expected;
  } rows[] = {
      {"events", 0, 4, 5, kOutOfOrder},  // names a predecessor that is not there
      {"events", 0, -1, -1, kOutOfOrder}, {"events", 0, -1, 5, kNone},
      {"events", 0, -1, 5, kOutOfOrder},  // a second sequencer, late
      {"events", 0, -1, 9, kOutOfOrder},  {"events", 0, 5, 5, kOutOfOrder},
      {"events", 0, 5, 4, kOutOfOrder},   {"events", 0, 4, 6, kOutOfOrder},
      {"events", 1, 5, 6, kOutOfOrder},   {"events", 1, -1, 0, kNone},
      {"platform", 0, -1, 3, kNone},      {"events", 0, 5, 6, kNone},
      {"events", 0, 6, 600, kNone},       {"platform", 0, 3, 4, kNone},
  };
  std::vector<Bytes> leaves;
  for (const auto& row : rows) {
    CAPTURE(row.topic);
    CAPTURE(row.position);
    const Event event = h.event(audited(row.topic, row.partition, row.previous, row.position));
    const Bytes value = "entry " + std::to_string(h.position);
    FoldInput input{h.position++, h.now, &event, VoidReason::none, value};
    CHECK(enum_text(h.core.fold(input).reason) == enum_text(row.expected));
    if (row.expected == kNone) leaves.push_back(merkle_leaf_hash(value));
    CHECK(h.state().audit_tree.size() == leaves.size());
    CHECK(h.state().audit_tree.root() == merkle_root(leaves));
  }
  CHECK(h.state().audit_chains.find("events/0")->last == 600);
  CHECK(h.state().audit_chains.find("platform/0")->last == 4);
}

TEST_CASE("system: acknowledgements rise, and only to what stands before them") {
  Harness base = world();
  const std::int64_t next = base.position;
  const auto acknowledge = [](std::int64_t through, std::int64_t epoch = 1) {
    return [=](Harness& h) {
      AuditAcknowledged body;
      body.through = through;
      Event event = h.decided(kAuditor, body);
      event.decision->epoch = epoch;
      return event;
    };
  };
  check_rows(base, {
                       {"the newest", acknowledge(next - 1), kNone},
                       {"the first", acknowledge(0), kNone},
                       {"itself", acknowledge(next), kOutOfOrder},
                       {"later", acknowledge(next + 1), kOutOfOrder},
                       {"none", acknowledge(-1), kOutOfOrder},
                       {"older epoch", acknowledge(1, 0), VoidReason::stale_epoch},
                       {"of another role",
                        [](Harness& h) { return h.decided(kBilling, AuditAcknowledged{}); },
                        VoidReason::stale_epoch},
                       {"of nobody", [](Harness& h) { return h.event(AuditAcknowledged{}); },
                        VoidReason::stale_epoch},
                   });
  base.apply(acknowledge(5)(base));
  check_rows(base, {{"again", acknowledge(5), kOutOfOrder},
                    {"back", acknowledge(4), kOutOfOrder},
                    {"on", acknowledge(6), kNone}});
}

TEST_CASE("system: a loss is accepted by an operator, on platform, with what was lost") {
  const auto accepted = [](std::vector<LostRange> partitions, std::string renamed = "b") {
    return [=](Harness& h) {
      Event event = h.by_operator(LogLossAccepted{"a", renamed, partitions, "disk"});
      event.org = OrgId{};
      return event;
    };
  };
  const LostRange lost{"events", 2, 9, 7};
  check_rows(Harness(TopicKind::platform),
             {{"a tail", accepted({lost}), kNone},
              {"no record", accepted({}), kNone},
              {"none of a partition", accepted({lost, {"audit", 0, 3, 3}}), VoidReason::invalid},
              {"more than there was", accepted({{"audit", 0, 3, -1}}), VoidReason::invalid},
              {"the same log", accepted({lost}, "a"), VoidReason::invalid},
              {"by nobody",
               [&](Harness& h) {
                 Event event = accepted({lost})(h);
                 event.actor.reset();
                 return event;
               },
               VoidReason::actor_missing}});
  check_rows(world(), {{"elsewhere", accepted({lost}), VoidReason::wrong_topic}});
}

TEST_CASE("system: the place of a lost record is taken on every topic, and changes nothing") {
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    Harness h(kind);
    Rows rows;
    h.drain_into(rows);
    Event event = h.event(LogRecordLost{});
    event.org = OrgId{};
    CHECK(h.fold(event).applied());
    CHECK(h.state().orgs.rows().empty());
    CHECK(h.state().audit_tree.size() == 0);
  }
}

TEST_CASE("system: refused attempts without an organisation stand on platform") {
  const auto denied = [](std::string action, std::int64_t count) {
    return [=](Harness& h) {
      PlatformAccessDenied body;
      body.action = action;
      body.count = count;
      Event event = h.event(body);
      event.org = OrgId{};
      event.actor = Actor{};
      event.actor->kind = ActorKind::unauthenticated;
      return event;
    };
  };
  check_rows(Harness(TopicKind::platform), {{"once", denied("sign_in", 1), kNone},
                                            {"never", denied("sign_in", 0), VoidReason::invalid},
                                            {"nothing", denied("", 1), VoidReason::invalid},
                                            {"by nobody",
                                             [&](Harness& h) {
                                               Event event = denied("sign_in", 1)(h);
                                               event.actor.reset();
                                               return event;
                                             },
                                             VoidReason::actor_missing}});
}
