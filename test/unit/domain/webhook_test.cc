// SPDX-License-Identifier: Apache-2.0
// Legality of webhook events: one event a row, what becomes of it last.
#include <doctest/doctest.h>

#include "domain/notify.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr auto kNone = VoidReason::none;
constexpr auto kNotFound = VoidReason::not_found;
constexpr auto kWrongAttempt = VoidReason::wrong_attempt;

Event of_other(const Harness& h, Event event) {
  event.org = h.other_org;
  return event;
}

// An execution with a callback that was rejected.
ExecutionId ended_with_callback(Harness& h) {
  auto body = h.request();
  body.callback = true;
  h.apply(h.by_key(h.member, body));
  h.apply(h.decided(kLauncher, h.reject(body.execution)));
  return body.execution;
}

}  // namespace

TEST_CASE("webhook: one delivery is scheduled for each receiver that the end found") {
  Harness base = world();
  const EndpointId wants = base.add_endpoint({"execution.rejected"});
  const EndpointId other = base.add_endpoint({"execution.finished"});
  const ExecutionId x = ended_with_callback(base);
  CHECK(base.row(x).notify == std::vector<std::string>{wants.text(), "callback"});
  const EndpointId late = base.add_endpoint();
  const ExecutionId open = base.requested();
  const auto schedule = [x](
                            std::optional<EndpointId> to,
                            std::function<void(WebhookScheduled&)> change = [](auto&) {}) {
    return [=](Harness& h) {
      auto body = h.schedule(x, to);
      change(body);
      return h.decided(kWebhooks, body);
    };
  };
  const auto unknown = base.id<ExecutionId>();
  check_rows(
      base,
      {
          {"endpoint", schedule(wants), kNone},
          {"callback", schedule(std::nullopt), kNone},
          {"does not want it", schedule(other), VoidReason::wrong_state},
          {"came later", schedule(late), VoidReason::wrong_state},
          {"nil", schedule(wants, [](auto& b) { b.delivery = {}; }), VoidReason::invalid},
          {"another type", schedule(wants, [](auto& b) { b.message_type = "execution.lost"; }),
           VoidReason::invalid},
          {"unknown", schedule(wants, [=](auto& b) { b.execution = unknown; }), kNotFound},
          {"of another",
           [x, wants](Harness& h) {
             return of_other(h, h.decided(kWebhooks, h.schedule(x, wants)));
           },
           kNotFound},
          {"before the end",
           [open, wants](Harness& h) { return h.decided(kWebhooks, h.schedule(open, wants)); },
           VoidReason::wrong_state},
      });
  const auto body = base.schedule(x, wants);
  base.apply(base.decided(kWebhooks, body));
  CHECK(base.row(x).deliveries_open == 1);
  check_rows(base,
             {
                 {"same receiver", schedule(wants), VoidReason::wrong_state},
                 {"same id", schedule(std::nullopt, [&](auto& b) { b.delivery = body.delivery; }),
                  VoidReason::already_exists},
                 {"the other receiver", schedule(std::nullopt), kNone},
             });
}

TEST_CASE("webhook: attempts are numbered without gap, and the end of a delivery is the last") {
  Harness base = world();
  const EndpointId to = base.add_endpoint();
  const ExecutionId x = ended_with_callback(base);
  const auto body = base.schedule(x, to);
  base.apply(base.decided(kWebhooks, body));
  const DeliveryId d = body.delivery;
  const DeliveryId unknown = base.id<DeliveryId>();
  const auto attempt = [](DeliveryId id, std::int64_t off = 0) {
    return [=](Harness& h) {
      return h.decided(kWebhooks, with(h.attempt(id), [=](auto& b) { b.attempt.number += off; }));
    };
  };
  const auto deliver = [](DeliveryId id, std::int64_t off = 0) {
    return [=](Harness& h) {
      return h.decided(kWebhooks, with(h.deliver(id), [=](auto& b) { b.attempt.number += off; }));
    };
  };
  const auto exhaust = [](DeliveryId id, std::optional<std::int64_t> number) {
    return [=](Harness& h) {
      return h.decided(kWebhooks, with(h.exhaust(id), [=](auto& b) {
                         if (!number) return;
                         b.attempt = AttemptFacts{};
                         b.attempt->number = *number;
                       }));
    };
  };
  for (const std::int64_t next : {1, 2, 3}) {
    check_rows(
        base, {
                  {"attempt", attempt(d), kNone},
                  {"attempt again", attempt(d, -1), kWrongAttempt},
                  {"attempt too far", attempt(d, 1), kWrongAttempt},
                  {"attempt unknown", attempt(unknown), kNotFound},
                  {"deliver", deliver(d), kNone},
                  {"deliver again", deliver(d, -1), kWrongAttempt},
                  {"deliver too far", deliver(d, 1), kWrongAttempt},
                  {"deliver unknown", deliver(unknown), kNotFound},
                  {"exhaust", exhaust(d, next), kNone},
                  {"exhaust, no attempt", exhaust(d, std::nullopt), kNone},
                  {"exhaust again", exhaust(d, next - 1), kWrongAttempt},
                  {"exhaust too far", exhaust(d, next + 1), kWrongAttempt},
                  {"exhaust unknown", exhaust(unknown, std::nullopt), kNotFound},
                  {"of another", [&](Harness& h) { return of_other(h, attempt(d)(h)); }, kNotFound},
                  {"delivered by another", [&](Harness& h) { return of_other(h, deliver(d)(h)); },
                   kNotFound},
                  {"exhausted by another",
                   [&](Harness& h) { return of_other(h, exhaust(d, next)(h)); }, kNotFound},
              });
    const Event event = attempt(d)(base);
    base.apply(event);
    CHECK(base.state().deliveries.find(d)->attempts == next);
    CHECK(base.state().deliveries.find(d)->next == std::get<WebhookAttempted>(event.body).next);
  }
  using Make = std::function<Event(Harness&)>;
  for (const Make& last : {Make(deliver(d)), Make(exhaust(d, 4)), Make(exhaust(d, std::nullopt))}) {
    Harness h = base;
    h.apply(last(h));
    CHECK(h.row(x).deliveries_open == 0);
    check_rows(h, {{"after the end", attempt(d), kNotFound},
                   {"twice", deliver(d), kNotFound},
                   {"then exhausted", exhaust(d, std::nullopt), kNotFound}});
  }
}

TEST_CASE("webhook: a receiver that is gone is disabled once, and hears of nothing afterwards") {
  Harness base = world();
  const EndpointId mine = base.add_endpoint();
  const auto disable = [](EndpointId id, std::string reason = "gone") {
    return [=](Harness& h) {
      WebhookEndpointDisabled body;
      body.endpoint = id;
      body.reason = reason;
      return h.decided(kWebhooks, body);
    };
  };
  const ExecutionId before = ended_with_callback(base);
  check_rows(
      base, {
                {"disable", disable(mine), kNone},
                {"no reason", disable(mine, ""), VoidReason::invalid},
                {"unknown", disable(base.id<EndpointId>()), kNotFound},
                {"another's", [&](Harness& h) { return of_other(h, disable(mine)(h)); }, kNotFound},
            });
  base.apply(disable(mine)(base));
  check_rows(base, {{"again", disable(mine), VoidReason::wrong_state}});
  const ExecutionId after = ended_with_callback(base);
  CHECK(base.row(before).notify.size() == 2);
  CHECK(base.row(after).notify == std::vector<std::string>{"callback"});
}

TEST_CASE("webhook: what an endpoint was owed when it was deleted can still be closed") {
  Harness h = world();
  const EndpointId to = h.add_endpoint();
  const ExecutionId x = h.finished();
  h.apply(h.decided(kBilling, h.settle(x)));
  WebhookEndpointDeleted deletion;
  deletion.endpoint = to;
  h.apply(h.by_key(h.admin, deletion));
  const auto body = h.schedule(x, to);
  h.apply(h.decided(kWebhooks, body));
  CHECK_FALSE(h.row(x).over());
  h.apply(h.decided(kWebhooks, h.exhaust(body.delivery)));
  CHECK(h.row(x).over());
}
