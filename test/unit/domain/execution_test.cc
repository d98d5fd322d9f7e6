// SPDX-License-Identifier: Apache-2.0
// Legality of execution events: one event a row, what becomes of it last.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

using Make = std::function<Event(Harness&)>;

// By a member's key, after `change`.
Make asked(std::function<void(ExecutionRequested&)> change) {
  return [change](Harness& h) {
    auto body = h.request();
    change(body);
    return h.by_key(h.member, body);
  };
}

// Every step of an execution, made to fit `x` as far as its state allows.
std::vector<std::pair<std::string, Make>> steps(const ExecutionId& x) {
  return {
      {"request",
       [x](Harness& h) {
         return h.by_key(h.member, with(h.request(), [x](auto& b) { b.execution = x; }));
       }},
      {"reject", [x](Harness& h) { return h.decided(kLauncher, h.reject(x)); }},
      {"assign", [x](Harness& h) { return h.decided(kLauncher, h.assign(x)); }},
      {"refuse", [x](Harness& h) { return h.event(h.refuse(x)); }},
      {"start", [x](Harness& h) { return h.event(h.start(x)); }},
      {"lose_attempt", [x](Harness& h) { return h.decided(kLauncher, h.lose_attempt(x)); }},
      {"finish", [x](Harness& h) { return h.event(h.finish(x)); }},
      {"ask_cancel", [x](Harness& h) { return h.by_key(h.member, h.ask_cancel(x)); }},
      {"cancel", [x](Harness& h) { return h.decided(kLauncher, h.cancel(x)); }},
      {"lose", [x](Harness& h) { return h.decided(kLauncher, h.lose(x)); }},
      {"settle", [x](Harness& h) { return h.decided(kBilling, h.settle(x)); }},
      {"erase", [x](Harness& h) { return h.decided(kRetention, h.erase(x)); }},
      {"destroy_key", [x](Harness& h) { return h.decided(kRetention, h.destroy_key(x)); }},
  };
}

// Checks all steps in one state; those not named are legal.
void check_steps(const Harness& base, const ExecutionId& x,
                 const std::map<std::string, VoidReason>& reasons) {
  std::vector<Row> rows;
  for (auto& [name, make] : steps(x)) {
    const auto found = reasons.find(name);
    rows.push_back({name, make, found == reasons.end() ? VoidReason::none : found->second});
  }
  check_rows(base, rows);
}

constexpr auto kWrongState = VoidReason::wrong_state;
constexpr auto kNotFound = VoidReason::not_found;

}  // namespace

TEST_CASE("execution: which step is legal in which state") {
  const Harness base = world();
  const auto kExists = VoidReason::already_exists;
  const auto kNotDue = VoidReason::not_due;

  Harness h = base;
  ExecutionId x = h.id<ExecutionId>();
  check_steps(h, x,
              {{"reject", kNotFound},
               {"assign", kNotFound},
               {"refuse", kNotFound},
               {"start", kNotFound},
               {"lose_attempt", kNotFound},
               {"finish", kNotFound},
               {"ask_cancel", kNotFound},
               {"cancel", kNotFound},
               {"lose", kNotFound},
               {"settle", kNotFound},
               {"erase", kNotFound},
               {"destroy_key", kNotFound}});
  h = base;
  x = h.requested();
  check_steps(h, x,
              {{"request", kExists},
               {"refuse", kWrongState},
               {"start", kWrongState},
               {"lose_attempt", kWrongState},
               {"finish", kWrongState},
               {"cancel", kWrongState},
               {"lose", kWrongState},
               {"settle", kWrongState},
               {"erase", kNotDue},
               {"destroy_key", kWrongState}});
  h.apply(h.by_key(h.member, h.ask_cancel(x)));
  check_steps(h, x,
              {{"request", kExists},
               {"assign", kWrongState},
               {"refuse", kWrongState},
               {"start", kWrongState},
               {"lose_attempt", kWrongState},
               {"finish", kWrongState},
               {"ask_cancel", kWrongState},
               {"lose", kWrongState},
               {"settle", kWrongState},
               {"erase", kNotDue},
               {"destroy_key", kWrongState}});
  h = base;
  x = h.assigned(2);
  check_steps(h, x,
              {{"request", kExists},
               {"reject", kWrongState},
               {"assign", kWrongState},
               {"cancel", kWrongState},
               {"settle", kWrongState},
               {"erase", kNotDue},
               {"destroy_key", kWrongState}});
  h = base;
  x = h.started(2);
  check_steps(h, x,
              {{"request", kExists},
               {"reject", kWrongState},
               {"assign", kWrongState},
               {"refuse", kWrongState},
               {"start", kWrongState},
               {"cancel", kWrongState},
               {"settle", kWrongState},
               {"erase", kNotDue},
               {"destroy_key", kWrongState}});
}

namespace {

// The ways an execution ends.
const struct End {
  std::string name;
  std::function<ExecutionId(Harness&)> reach;
  bool holds;  // credit is left to settle
} kEnds[] = {
    {"finished", [](Harness& h) { return h.finished(); }, true},
    {"finished, never started",
     [](Harness& h) {
       const auto x = h.assigned();
       h.apply(h.event(h.finish(x)));
       return x;
     },
     true},
    {"rejected",
     [](Harness& h) {
       const auto x = h.requested();
       h.apply(h.decided(kLauncher, h.reject(x)));
       return x;
     },
     false},
    {"rejected after a refusal",
     [](Harness& h) {
       const auto x = h.assigned();
       h.apply(h.event(h.refuse(x)));
       h.apply(h.decided(kLauncher, h.reject(x)));
       return x;
     },
     true},
    {"cancelled",
     [](Harness& h) {
       const auto x = h.requested();
       h.apply(h.by_key(h.member, h.ask_cancel(x)));
       h.apply(h.decided(kLauncher, h.cancel(x)));
       return x;
     },
     false},
    {"lost",
     [](Harness& h) {
       const auto x = h.started();
       h.apply(h.decided(kLauncher, h.lose(x)));
       return x;
     },
     true},
    {"settled", [](Harness& h) { return h.settled(); }, false},
};

}  // namespace

TEST_CASE("execution: after the end only settling and erasure are legal") {
  const Harness base = world();
  std::map<std::string, VoidReason> ended;
  for (auto& [name, make] : steps(ExecutionId{})) ended[name] = kWrongState;
  ended["request"] = VoidReason::already_exists;
  ended["erase"] = VoidReason::not_due;
  auto unsettled = ended;
  unsettled.erase("settle");
  for (const auto& end : kEnds) {
    CAPTURE(end.name);
    Harness h = base;
    const ExecutionId x = end.reach(h);
    check_steps(h, x, end.holds ? unsettled : ended);
    CHECK(h.org_row().queued == 0);
    CHECK(h.org_row().running == 0);
    h.pass(hours(1));
    auto later = end.holds ? unsettled : ended;
    later.erase("erase");
    check_steps(h, x, later);
    h.apply(h.decided(kRetention, h.erase(x)));
    later["erase"] = kWrongState;
    later.erase("destroy_key");
    check_steps(h, x, later);
    h.apply(h.decided(kRetention, h.destroy_key(x)));
    later["destroy_key"] = kWrongState;
    check_steps(h, x, later);
  }
}

TEST_CASE("execution: a request outside the bounds is invalid, at the bounds it is not") {
  const auto limit = [](std::int64_t ExecutionLimits::*member, std::int64_t value) {
    return asked([=](auto& b) { b.limits.*member = value; });
  };
  const auto kInvalid = VoidReason::invalid;
  using L = ExecutionLimits;
  check_rows(
      world(),
      {
          {"nil id", asked([](auto& b) { b.execution = {}; }), kInvalid},
          {"network", asked([](auto& b) { b.network = "full"; }), kInvalid},
          {"no network", asked([](auto& b) { b.network = ""; }), kInvalid},
          {"no attempt", asked([](auto& b) { b.attempts_max = 0; }), kInvalid},
          {"most attempts", asked([](auto& b) { b.attempts_max = 5; }), VoidReason::none},
          {"too many attempts", asked([](auto& b) { b.attempts_max = 6; }), kInvalid},
          {"for ever", asked([](auto& b) { b.retention.reset(); }), VoidReason::none},
          {"shortest", asked([](auto& b) { b.retention = seconds(1); }), VoidReason::none},
          {"too short", asked([](auto& b) { b.retention = Millis{999}; }), kInvalid},
          {"longest", asked([](auto& b) { b.retention = days(30); }), VoidReason::none},
          {"too long", asked([](auto& b) {
             b.retention = days(30);
             b.retention->count += 1;
           }),
           kInvalid},
          {"wall min", limit(&L::wall_ms, 10), VoidReason::none},
          {"wall under", limit(&L::wall_ms, 9), kInvalid},
          {"wall max", limit(&L::wall_ms, 900'000), VoidReason::none},
          {"wall over", limit(&L::wall_ms, 900'001), kInvalid},
          {"memory under", limit(&L::memory_mib, 7), kInvalid},
          {"memory over", limit(&L::memory_mib, 8193), kInvalid},
          {"cpu under", limit(&L::cpu_millis, 49), kInvalid},
          {"cpu over", limit(&L::cpu_millis, 8001), kInvalid},
          {"processes under", limit(&L::processes, 0), kInvalid},
          {"processes over", limit(&L::processes, 1025), kInvalid},
          {"disk under", limit(&L::disk_mib, 0), kInvalid},
          {"disk over", limit(&L::disk_mib, 1025), kInvalid},
          {"output none", limit(&L::output_bytes, 0), VoidReason::none},
          {"output under", limit(&L::output_bytes, -1), kInvalid},
          {"output over", limit(&L::output_bytes, 256 * 1024 + 1), kInvalid},
          {"extreme", limit(&L::wall_ms, std::numeric_limits<std::int64_t>::max()), kInvalid},
      });
}

TEST_CASE("execution: every limit outside its bounds is told by pointer") {
  CHECK(check(ExecutionLimits{}, "").empty());
  const auto problems = check(ExecutionLimits{0, 0, 0, 0, 0, -1}, "/limits");
  std::string pointers;
  for (const auto& p : problems) pointers += p.pointer + " ";
  CHECK(pointers ==
        "/limits/wall_ms /limits/memory_mib /limits/cpu_millis /limits/processes "
        "/limits/disk_mib /limits/output_bytes ");
  CHECK(problems[0].detail == "must be from 10 to 900000");
}

TEST_CASE("execution: queue and host places are limited, and free again when left") {
  Harness base = world();  // 4 queued, 3 running
  std::vector<ExecutionId> xs;
  for (int i = 0; i < 4; ++i) xs.push_back(base.requested());
  const auto ask = asked([](auto&) {});
  check_rows(base, {{"full queue", ask, VoidReason::limit_reached}});
  for (int i = 0; i < 3; ++i) base.apply(base.decided(kLauncher, base.assign(xs[i])));
  CHECK(base.org_row().queued == 1);
  CHECK(base.org_row().running == 3);
  const ExecutionId waiting = xs[3];
  const auto assign = [waiting](Harness& h) { return h.decided(kLauncher, h.assign(waiting)); };
  check_rows(base,
             {{"queue", ask, VoidReason::none}, {"hosts", assign, VoidReason::limit_reached}});
  base.apply(base.event(base.refuse(xs[0])));
  CHECK(base.org_row().queued == 2);
  CHECK(base.org_row().running == 2);
  check_rows(base, {{"refused", assign, VoidReason::none}});
  base.apply(base.decided(kLauncher, base.assign(waiting)));
  base.apply(base.event(base.finish(xs[1])));
  CHECK(base.org_row().running == 2);
}

TEST_CASE("execution: an assignment names the next attempt, the newest card and the worst case") {
  Harness base = world();
  const ExecutionId x = base.requested(2);
  const auto assign = [x](std::function<void(ExecutionAssigned&)> change) {
    return [x, change](Harness& h) {
      auto body = h.assign(x);
      change(body);
      return h.decided(kLauncher, body);
    };
  };
  const auto of_other = [x](Harness& h) {
    Event event = h.decided(kLauncher, h.assign(x));
    event.org = h.other_org;
    return event;
  };
  const auto kAmount = VoidReason::wrong_amount;
  const auto kAttempt = VoidReason::wrong_attempt;
  check_rows(base, {
                       {"right", assign([](auto&) {}), VoidReason::none},
                       {"attempt 0", assign([](auto& b) { b.attempt = 0; }), kAttempt},
                       {"attempt 2", assign([](auto& b) { b.attempt = 2; }), kAttempt},
                       {"less", assign([](auto& b) { b.hold.count -= 1; }), kAmount},
                       {"more", assign([](auto& b) { b.hold.count += 1; }), kAmount},
                       {"nothing", assign([](auto& b) { b.hold.count = 0; }), kAmount},
                       {"negative", assign([](auto& b) { b.hold.count *= -1; }), kAmount},
                       {"no card", assign([](auto& b) { b.rate_card = 2; }), kNotFound},
                       {"card 0", assign([](auto& b) { b.rate_card = 0; }), kNotFound},
                       {"of another", of_other, kNotFound},
                   });
  const MicroCredits hold = base.assign(x).hold;
  base.apply(base.decided(kLauncher, base.assign(x)));
  CHECK(base.org_row().held == hold);
  base.apply(base.decided(kLauncher, base.lose_attempt(x)));
  base.apply(base.decided(kBilling, base.adopt(2, 5 * kPrice)));
  CHECK(base.org_row().held == hold);
  // The second attempt runs under the first one's hold and card.
  check_rows(base, {
                       {"again", assign([](auto&) {}), VoidReason::none},
                       {"same attempt", assign([](auto& b) { b.attempt = 1; }), kAttempt},
                       {"new card", assign([](auto& b) { b.rate_card = 2; }), kAmount},
                       {"other hold", assign([](auto& b) { b.hold.count += 1; }), kAmount},
                   });
  base.apply(base.decided(kLauncher, base.assign(x)));
  CHECK(base.org_row().held == hold);
  const ExecutionId later = base.requested();
  const auto old_card = [later](Harness& h) {
    return h.decided(kLauncher, with(h.assign(later), [](auto& b) { b.rate_card = 1; }));
  };
  check_rows(base, {{"an old card for a new run", old_card, kNotFound}});
}

TEST_CASE("execution: nothing is assigned that the credits do not cover") {
  Harness base = world();
  const auto third = kGrant / 3;  // three holds of a third each: the fourth finds one microcredit
  base.apply(
      base.decided(kBilling, base.adopt(2, third / 3)));  // the default worst case is 3 units
  base.apply(base.by_operator(with(OrganizationLimitsChanged{}, [&base](auto& b) {
    b.organization = base.org;
    b.limits = {10, 10};
  })));
  for (int i = 0; i < 3; ++i) base.assigned();
  const MicroCredits rest = base.org_row().available();
  CHECK(rest.count >= 0);
  const ExecutionId x = base.requested();
  const auto assign = [x](Harness& h) { return h.decided(kLauncher, h.assign(x)); };
  CHECK(base.assign(x).hold > rest);
  check_rows(base, {{"too little", assign, VoidReason::insufficient_credits}});
  base.apply(base.by_operator(base.grant(base.assign(x).hold.count - rest.count - 1)));
  check_rows(base, {{"one too little", assign, VoidReason::insufficient_credits}});
  base.apply(base.by_operator(base.grant(1)));
  check_rows(base, {{"just enough", assign, VoidReason::none}});
  base.apply(assign(base));
  CHECK(base.org_row().available().count == 0);
}

TEST_CASE("execution: the report of a host counts for its attempt and epoch only") {
  Harness base = world();
  const ExecutionId x = base.started(3);
  base.apply(base.decided(kLauncher, base.lose_attempt(x)));
  base.apply(base.decided(kLauncher, with(base.assign(x), [](auto& b) { b.host_epoch = 9; })));
  const auto finish = [x](std::int64_t attempt, std::int64_t epoch, std::int64_t wall_us) {
    return [=](Harness& h) {
      auto body = h.finish(x, wall_us);
      body.attempt = attempt;
      body.host_epoch = epoch;
      return h.event(body);
    };
  };
  const auto report = [x](auto body, std::int64_t attempt, std::int64_t epoch) {
    body.execution = x;
    body.attempt = attempt;
    body.host_epoch = epoch;
    return [body](Harness& h) { return h.event(body); };
  };
  const auto of_other = [x](Harness& h) {
    Event event = h.event(h.finish(x));
    event.org = h.other_org;
    return event;
  };
  const auto kAttempt = VoidReason::wrong_attempt;
  check_rows(base, {
                       {"finished", finish(2, 9, 5), VoidReason::none},
                       {"took no time", finish(2, 9, 0), VoidReason::none},
                       {"took less", finish(2, 9, -1), VoidReason::invalid},
                       {"the lost attempt", finish(1, 7, 5), kAttempt},
                       {"an older epoch", finish(2, 7, 5), kAttempt},
                       {"a newer epoch", finish(2, 10, 5), kAttempt},
                       {"started", report(ExecutionStarted{}, 2, 9), VoidReason::none},
                       {"started late", report(ExecutionStarted{}, 1, 9), kAttempt},
                       {"started old", report(ExecutionStarted{}, 2, 8), kAttempt},
                       {"refused", report(ExecutionRefused{}, 2, 9), VoidReason::none},
                       {"refused late", report(ExecutionRefused{}, 1, 7), kAttempt},
                       {"refused old", report(ExecutionRefused{}, 2, 7), kAttempt},
                       {"of another", of_other, kNotFound},
                   });
  Harness h = base;
  h.apply(h.event(h.refuse(x)));
  check_rows(h, {{"after refusing", finish(2, 9, 5), kWrongState},
                 {"refusing twice", report(ExecutionRefused{}, 2, 9), kWrongState}});
  h = base;
  h.apply(h.event(h.finish(x)));
  check_rows(h, {{"finishing twice", finish(2, 9, 6), kWrongState}});
}

TEST_CASE("execution: runs are lost as often as the request allows, refusals do not count") {
  Harness base = world();
  const ExecutionId x = base.requested(2);
  for (int i = 0; i < 4; ++i) {
    base.apply(base.decided(kLauncher, base.assign(x)));
    base.apply(base.event(base.refuse(x)));
  }
  base.apply(base.decided(kLauncher, base.assign(x)));
  const auto lose_attempt = [x](std::int64_t attempt) {
    return [=](Harness& h) {
      return h.decided(kLauncher, with(h.lose_attempt(x), [=](auto& b) { b.attempt = attempt; }));
    };
  };
  const auto lose = [x](std::int64_t attempt) {
    return [=](Harness& h) {
      return h.decided(kLauncher, with(h.lose(x), [=](auto& b) { b.attempt = attempt; }));
    };
  };
  check_rows(base, {{"first", lose_attempt(5), VoidReason::none},
                    {"other attempt", lose_attempt(4), VoidReason::wrong_attempt},
                    {"all at once", lose(5), VoidReason::none},
                    {"all, other attempt", lose(6), VoidReason::wrong_attempt}});
  base.apply(lose_attempt(5)(base));
  base.apply(base.decided(kLauncher, base.assign(x)));
  base.apply(base.event(base.start(x)));
  check_rows(base, {{"no run is left", lose_attempt(6), VoidReason::limit_reached},
                    {"lost", lose(6), VoidReason::none}});
}

TEST_CASE("execution: an attempt that was never sent to its host uses up no run") {
  Harness base = world();
  const ExecutionId x = base.requested(1);
  base.apply(base.decided(kLauncher, base.assign(x)));
  const auto never_sent = [x](Harness& h) {
    return h.decided(kLauncher, with(h.lose_attempt(x), [](auto& b) { b.may_have_run = false; }));
  };
  const auto by_nobody = [x](Harness& h) {
    return h.event(with(h.lose_attempt(x), [](auto& b) { b.may_have_run = false; }));
  };
  check_rows(base, {{"a decision", never_sent, VoidReason::none},
                    {"a report", by_nobody, VoidReason::stale_epoch}});
  Harness started = base;
  started.apply(started.event(started.start(x)));
  check_rows(started, {{"it was started", never_sent, VoidReason::wrong_state}});
  for (int i = 0; i < 3; ++i) {
    base.apply(never_sent(base));
    CHECK(base.row(x).status == ExecutionStatus::requested);
    CHECK(base.row(x).attempts_lost == 0);
    base.apply(base.decided(kLauncher, base.assign(x)));
  }
}

TEST_CASE("execution: erasure is due after the retention, and never without one") {
  Harness base = world();
  const ExecutionId x = base.settled();
  const auto erase = [x](Harness& h) { return h.decided(kRetention, h.erase(x)); };
  base.pass({hours(1).count - 1});
  check_rows(base, {{"just before", erase, VoidReason::not_due}});
  base.pass({1});
  check_rows(base, {{"due", erase, VoidReason::none}});
  base.apply(erase(base));
  const auto destroy = [x](const DataKeyId& key) {
    return [=](Harness& h) {
      return h.decided(kRetention, with(h.destroy_key(x), [&](auto& b) { b.key = key; }));
    };
  };
  check_rows(base, {{"its key", destroy(base.row(x).key), VoidReason::none},
                    {"another key", destroy(base.id<DataKeyId>()), kWrongState}});

  auto body = base.request();
  body.retention.reset();
  base.apply(base.by_key(base.member, body));
  base.apply(base.decided(kLauncher, base.reject(body.execution)));
  base.pass(days(365));
  base.apply(base.event(base.claim(kRetention)));
  const auto never = [&body](Harness& h) { return h.decided(kRetention, h.erase(body.execution)); };
  check_rows(base, {{"indefinitely", never, VoidReason::not_due}});
}
