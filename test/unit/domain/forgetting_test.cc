// SPDX-License-Identifier: Apache-2.0
// What the fold forgets by time (design: Size): the core is bounded by what is alive.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Lets log time reach `now`, by a record that is no event.
void tick(Harness& h) {
  FoldInput input;
  input.position = h.position++;
  input.stamp = h.now;
  h.core.fold(input);
}

}  // namespace

TEST_CASE("forgetting: an execution shrinks to a stub a day after it is over in every respect") {
  Harness h = world();
  h.add_endpoint();
  auto body = h.request();
  body.callback = true;
  Event event = h.by_key(h.member, body);
  event.correlation = "trace";
  h.apply(event);
  const ExecutionId x = body.execution;
  h.apply(h.decided(kLauncher, h.assign(x)));
  h.apply(h.event(h.finish(x)));
  CHECK(h.row(x).correlation == "trace");
  h.pass(hours(30));
  tick(h);
  CHECK_FALSE(h.row(x).over_since.has_value());
  h.apply(h.decided(kBilling, h.settle(x)));
  const auto to = EndpointId::parse(h.row(x).notify[0]);
  const auto first = h.schedule(x, to);
  h.apply(h.decided(kWebhooks, first));
  const auto second = h.schedule(x, std::nullopt);
  h.apply(h.decided(kWebhooks, second));
  h.apply(h.decided(kWebhooks, h.deliver(first.delivery)));
  h.pass(hours(30));
  tick(h);
  CHECK_FALSE(h.row(x).over());
  h.apply(h.decided(kWebhooks, h.exhaust(second.delivery)));
  CHECK(h.row(x).over_since == h.now);
  CHECK(h.state().deliveries.size() == 0);
  h.pass({limits::kTerminalKept.count - 1});
  tick(h);
  CHECK_FALSE(h.row(x).stub);
  h.pass({1});
  tick(h);
  REQUIRE(h.state().executions.find(x) != nullptr);
  CHECK(h.row(x).stub);
  CHECK(h.row(x).correlation.empty());
  CHECK(h.row(x).terminal_event.empty());
  // A stub is still the one that has this id, and can still be erased.
  h.now = h.state().meta.log_time;
  CHECK(h.fold(h.by_key(h.member, with(h.request(), [x](auto& b) { b.execution = x; }))).reason ==
        VoidReason::already_exists);
  CHECK(h.fold(h.by_key(h.member, h.ask_cancel(x))).reason == VoidReason::wrong_state);
  h.apply(h.decided(kRetention, h.erase(x)));
  CHECK(h.state().executions.find(x) != nullptr);
  h.apply(h.decided(kRetention, h.destroy_key(x)));
  CHECK(h.state().executions.find(x) == nullptr);
}

TEST_CASE("forgetting: an execution whose key is gone leaves the core a day after it is over") {
  Harness h = world();
  const ExecutionId x = h.settled();
  const UnixMs over = h.now;
  h.pass(hours(1));
  h.apply(h.decided(kRetention, h.erase(x)));
  h.apply(h.decided(kRetention, h.destroy_key(x)));
  h.now = over + Millis{limits::kTerminalKept.count - 1};
  tick(h);
  CHECK(h.state().executions.find(x) != nullptr);
  h.pass({1});
  tick(h);
  CHECK(h.state().executions.find(x) == nullptr);
  CHECK(h.state().agenda.empty());
}

TEST_CASE("forgetting: an erased execution that is not settled stays until a day after it is") {
  Harness h = world();
  const ExecutionId x = h.finished();
  h.pass(hours(48));
  h.apply(h.decided(kRetention, h.erase(x)));
  h.apply(h.decided(kRetention, h.destroy_key(x)));
  h.pass(hours(48));
  tick(h);
  CHECK(h.org_row().held.count > 0);
  h.apply(h.decided(kBilling, h.settle(x)));
  CHECK(h.org_row().held.count == 0);
  h.pass(hours(24));
  tick(h);
  CHECK(h.state().executions.find(x) == nullptr);
}

TEST_CASE("forgetting: after days of traffic the core holds only what is alive") {
  Harness h = world();
  Rows rows;
  h.drain_into(rows);
  const std::size_t before = rows.size() - h.state().judged.size();
  for (int day = 0; day < 4; ++day) {
    for (int i = 0; i < 20; ++i) {
      Event event = h.by_key(h.member, h.request());
      event.idempotency = Idempotency{{std::to_string(day * 100 + i)}, {"body"}};
      h.apply(event);
      const ExecutionId x = std::get<ExecutionRequested>(event.body).execution;
      h.apply(h.decided(kLauncher, h.assign(x)));
      h.apply(h.event(h.finish(x)));
      h.apply(h.decided(kBilling, h.settle(x)));
      h.pass(hours(1));
      h.apply(h.decided(kRetention, h.erase(x)));
      h.apply(h.decided(kRetention, h.destroy_key(x)));
    }
    CHECK(h.state().executions.size() <= 25);
    CHECK(h.state().idempotency.size() <= 25);
    CHECK(h.state().judged.size() <= 20);
    h.drain_into(rows);
  }
  h.pass(hours(25));
  tick(h);
  h.drain_into(rows);
  CHECK(h.state().judged.size() == 0);
  CHECK(h.state().agenda.empty());
  CHECK(rows.size() == before);
}
