// SPDX-License-Identifier: Apache-2.0
// Legality of billing events: one event a row, what becomes of it last.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr auto kNone = VoidReason::none;
constexpr auto kInvalid = VoidReason::invalid;
constexpr auto kNotFound = VoidReason::not_found;
constexpr auto kWrongAmount = VoidReason::wrong_amount;
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("billing: a grant is positive, bounded, and for the record's organisation") {
  const auto grant = [](std::int64_t amount) {
    return [amount](Harness& h) { return h.by_operator(h.grant(amount)); };
  };
  Harness base = world();
  check_rows(base, {
                       {"one", grant(1), kNone},
                       {"most", grant(limits::kGrantMicroCreditsMax), kNone},
                       {"over", grant(limits::kGrantMicroCreditsMax + 1), kInvalid},
                       {"greatest number", grant(kMax), kInvalid},
                       {"nothing", grant(0), kInvalid},
                       {"negative", grant(-1), kInvalid},
                       {"by an admin", [](Harness& h) { return h.by_key(h.admin, h.grant(1)); },
                        VoidReason::missing_role},
                       {"for another",
                        [](Harness& h) {
                          return h.by_operator(
                              with(h.grant(1), [&h](auto& b) { b.organization = h.other_org; }));
                        },
                        kNotFound},
                   });
  base.apply(grant(limits::kGrantMicroCreditsMax)(base));
  check_rows(base, {{"when that much was granted", grant(1), kInvalid}});
  CHECK(base.org_row().granted.count == kGrant + limits::kGrantMicroCreditsMax);
}

TEST_CASE("billing: a settlement charges exactly the rating of the run, once") {
  Harness base = world();
  const ExecutionId x = base.finished();
  const auto settle = [x](std::function<void(BillingSettled&)> change) {
    return [=](Harness& h) {
      auto body = h.settle(x);
      change(body);
      return h.decided(kBilling, body);
    };
  };
  const auto unknown = base.id<ExecutionId>();
  const ExecutionId open = base.started();
  // 256 MiB and one core for a second: a quarter of the price.
  CHECK(base.settle(x).amount.count == kPrice / 4);
  CHECK(base.settle(x).hold.count == 3 * kPrice);
  check_rows(
      base,
      {
          {"right", settle([](auto&) {}), kNone},
          {"one less", settle([](auto& b) { b.amount.count -= 1; }), kWrongAmount},
          {"one more", settle([](auto& b) { b.amount.count += 1; }), kWrongAmount},
          {"for free", settle([](auto& b) { b.amount = {}; }), kWrongAmount},
          {"all of the hold", settle([](auto& b) { b.amount = b.hold; }), kWrongAmount},
          {"other hold", settle([](auto& b) { b.hold.count -= 1; }), kWrongAmount},
          {"other card", settle([](auto& b) { b.rate_card = 2; }), kWrongAmount},
          {"no line", settle([](auto& b) { b.lines.clear(); }), kWrongAmount},
          {"a line twice", settle([](auto& b) { b.lines.push_back(b.lines[0]); }), kWrongAmount},
          {"other meter", settle([](auto& b) { b.lines[0].meter = "disk"; }), kWrongAmount},
          {"other quantity", settle([](auto& b) { ++b.lines[0].quantity; }), kWrongAmount},
          {"other line", settle([](auto& b) { ++b.lines[0].amount.count; }), kWrongAmount},
          {"unknown", settle([=](auto& b) { b.execution = unknown; }), kNotFound},
          {"not over", settle([=](auto& b) { b.execution = open; }), VoidReason::wrong_state},
          {"of another",
           [x](Harness& h) {
             Event event = h.decided(kBilling, h.settle(x));
             event.org = h.other_org;
             return event;
           },
           kNotFound},
      });
  const OrgRow before = base.org_row();
  base.apply(settle([](auto&) {})(base));
  CHECK(base.org_row().held.count == before.held.count - 3 * kPrice);
  CHECK(base.org_row().settled.count == before.settled.count + kPrice / 4);
  CHECK(base.org_row().available().count == before.available().count + 3 * kPrice - kPrice / 4);
  check_rows(base, {{"again", settle([](auto&) {}), VoidReason::wrong_state}});
}

TEST_CASE("billing: a run that did not finish is free, and its hold ends all the same") {
  Harness base = world();
  const ExecutionId lost = base.started();
  base.apply(base.decided(kLauncher, base.lose(lost)));
  const ExecutionId rejected = base.assigned();
  base.apply(base.event(base.refuse(rejected)));
  base.apply(base.decided(kLauncher, base.reject(rejected)));
  for (const ExecutionId& x : {lost, rejected}) {
    const auto settle = [x](std::int64_t amount, std::vector<RatedLine> lines = {}) {
      return [=](Harness& h) {
        return h.decided(kBilling, with(h.settle(x), [&](auto& b) {
                           b.amount = {amount};
                           b.lines = lines;
                         }));
      };
    };
    check_rows(base, {{"free", settle(0), kNone},
                      {"charged", settle(1), kWrongAmount},
                      {"paid back", settle(-1), kWrongAmount},
                      {"with a line", settle(0, {{"disk", 1, {0}}}), kWrongAmount}});
    base.apply(settle(0)(base));
  }
  CHECK(base.org_row().held.count == 0);
  CHECK(base.org_row().settled.count == 0);
}

TEST_CASE("billing: an execution without a hold has nothing to settle") {
  Harness h = world();
  const ExecutionId x = h.requested();
  h.apply(h.decided(kLauncher, h.reject(x)));
  CHECK(h.row(x).settled);
  h.apply(h.decided(kBilling, h.adopt(2, 0)));
  const ExecutionId free = h.finished();
  CHECK(h.row(free).settled);
  CHECK(h.row(free).over());
  for (const ExecutionId& id : {x, free}) {
    CHECK(h.fold(h.decided(kBilling, h.settle(id))).reason == VoidReason::wrong_state);
  }
}

TEST_CASE("billing: only newer rate cards are adopted, from rising positions") {
  const auto adopt = [](std::int64_t position, std::int64_t version, std::int64_t price) {
    return [=](Harness& h) {
      return h.decided(kBilling,
                       with(h.adopt(version, price), [=](auto& b) { b.position = position; }));
    };
  };
  constexpr auto kMismatch = VoidReason::version_mismatch;
  Harness base = world();  // version 1 from position 0
  check_rows(base, {
                       {"next", adopt(1, 2, 5), kNone},
                       {"far on", adopt(100, 2, 5), kNone},
                       {"free", adopt(1, 2, 0), kNone},
                       {"most", adopt(1, 2, limits::kPriceMicroCreditsMax), kNone},
                       {"over", adopt(1, 2, limits::kPriceMicroCreditsMax + 1), kInvalid},
                       {"greatest number", adopt(1, 2, kMax), kInvalid},
                       {"negative", adopt(1, 2, -1), kInvalid},
                       {"same position", adopt(0, 2, 5), VoidReason::out_of_order},
                       {"before", adopt(-1, 2, 5), VoidReason::out_of_order},
                       {"same version", adopt(1, 1, 5), kMismatch},
                       {"left out one", adopt(1, 3, 5), kNone},
                       {"version 0", adopt(1, 0, 5), kMismatch},
                   });
  base.apply(adopt(7, 2, 5)(base));
  CHECK(base.state().meta.rate_card == 2);
  CHECK(base.state().meta.platform_position == 7);
  CHECK(base.state().card(1)->per_gib_core_second.count == kPrice);
  CHECK(base.state().card(2)->per_gib_core_second.count == 5);
  CHECK(base.state().card(3) == nullptr);
  check_rows(base, {{"between", adopt(7, 3, 5), VoidReason::out_of_order}});
}

TEST_CASE("billing: rate cards are published on platform, by its owner, in order") {
  Harness h(TopicKind::platform);
  h.apply(h.event(h.claim(kBilling)));
  const auto publish = [](std::int64_t version, std::int64_t price) {
    return [=](Harness& b) {
      RateCardPublished body;
      body.card.version = version;
      body.card.per_gib_core_second = {price};
      return b.decided(kBilling, body);
    };
  };
  check_rows(h, {{"first", publish(1, 5), kNone},
                 {"second", publish(2, 5), VoidReason::version_mismatch},
                 {"negative", publish(1, -5), kInvalid},
                 {"over", publish(1, kMax), kInvalid},
                 {"by nobody",
                  [&](Harness& b) {
                    Event event = publish(1, 5)(b);
                    event.decision.reset();
                    return event;
                  },
                  VoidReason::stale_epoch}});
  h.apply(publish(1, 5)(h));
  check_rows(
      h, {{"again", publish(1, 5), VoidReason::version_mismatch}, {"next", publish(2, 5), kNone}});
}

TEST_CASE("billing: the dearest run under the dearest card is held, not free") {
  Harness h = world();
  h.apply(h.decided(kBilling, h.adopt(2, limits::kPriceMicroCreditsMax)));
  auto body = h.request();
  body.limits.wall_ms = limits::kWallMsMax;
  body.limits.memory_mib = limits::kMemoryMibMax;
  body.limits.cpu_millis = limits::kCpuMillisMax;
  h.apply(h.by_key(h.member, body));
  CHECK(h.assign(body.execution).hold.count > kGrant);
  CHECK(h.fold(h.decided(kLauncher, h.assign(body.execution))).reason ==
        VoidReason::insufficient_credits);
}
