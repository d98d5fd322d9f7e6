// SPDX-License-Identifier: Apache-2.0
#include "domain/audit.h"

#include <doctest/doctest.h>

#include "harness.h"
#include "samples.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const AuditOrigin kOrigin{"events", 3, 77, {1'700'000'000'500}};

Judgement judged(VoidReason reason) {
  Judgement out;
  out.reason = reason;
  return out;
}

Event acted(EventBody body) {
  Event event;
  event.id = EventId::derived("event-0123456789");
  event.org = OrgId::derived("org-0123456789ab");
  event.subject = "exe_x";
  event.request_id = "req_1";
  event.actor = filled<Actor>();
  event.body = std::move(body);
  return event;
}

}  // namespace

TEST_CASE("audit: exactly the judged events with an actor are audited, repeats are not") {
  const auto entry = [](const Event& event, const Judgement& judgement) {
    return audit_entry_of(event, judgement, kOrigin).has_value();
  };
  for_each_event_type([&entry]<typename T>() {
    CAPTURE(std::string(T::kType));
    const Event event = acted(T{});
    Event silent = event;
    silent.actor.reset();
    for (const auto& [reason, name] : EnumNames<VoidReason>::names) {
      const bool again = reason == VoidReason::repeated || reason == VoidReason::idempotent_replay;
      CHECK(entry(event, judged(reason)) == !again);
      CHECK_FALSE(entry(silent, judged(reason)));
    }
    Judgement stopped;
    stopped.stop = true;
    CHECK_FALSE(entry(event, stopped));
  });
}

TEST_CASE("audit: an entry says who did what to which, with what outcome, and where it stands") {
  const auto body = filled<ApiKeyCreated>();
  const auto entry = audit_entry_of(acted(body), judged(VoidReason::none), kOrigin);
  REQUIRE(entry.has_value());
  CHECK(entry->organization == OrgId::derived("org-0123456789ab"));
  CHECK(entry->time == kOrigin.stamp);
  CHECK(entry->event == EventId::derived("event-0123456789").text());
  CHECK(entry->action == "api_key.create");
  CHECK(entry->resource == "exe_x");
  CHECK(entry->outcome == AuditOutcome::success);
  CHECK(entry->reason.empty());
  CHECK(entry->count == 1);
  CHECK(entry->request_id == "req_1");
  CHECK(json::print(to_json(entry->actor_copy)) == json::print(to_json(filled<Actor>())));
  CHECK(entry->source.topic == "events");
  CHECK(entry->source.partition == 3);
  CHECK(entry->source.position == 77);
  CHECK(entry->source.previous == -1);
  using Changes = std::map<std::string, std::string>;
  CHECK(entry->changes == Changes{{"name", body.name},
                                  {"role", "auditor"},
                                  {"expires_at", "2023-11-14T22:13:20.001Z"}});
}

TEST_CASE("audit: every type has an action, and a void event is denied with its reason") {
  for_each_event_type([]<typename T>() {
    CAPTURE(std::string(T::kType));
    const auto denied = audit_entry_of(acted(filled<T>()), judged(VoidReason::stale), kOrigin);
    REQUIRE(denied.has_value());
    CHECK(denied->outcome == AuditOutcome::denied);
    CHECK(denied->reason == "stale");
    CHECK_FALSE(denied->action.empty());
    const auto& rule = rule_of(T::kType);
    if (!rule.action.empty()) CHECK(denied->action == rule.action);
  });
}

TEST_CASE("audit: what was refused before it became an event is denied, with its count") {
  AccessDenied body;
  body.action = "execution.create";
  body.reason = "missing_scope";
  body.count = 17;
  auto entry = audit_entry_of(acted(body), judged(VoidReason::none), kOrigin);
  REQUIRE(entry.has_value());
  CHECK(entry->outcome == AuditOutcome::denied);
  CHECK(entry->action == "execution.create");
  CHECK(entry->reason == "missing_scope");
  CHECK(entry->count == 17);
  PlatformAccessDenied nobody;
  nobody.action = "sign_in";
  nobody.reason = "unknown_key";
  nobody.count = 2;
  Event event = acted(nobody);
  event.org = OrgId{};
  entry = audit_entry_of(event, judged(VoidReason::none), kOrigin);
  REQUIRE(entry.has_value());
  CHECK_FALSE(entry->organization.has_value());
  CHECK(entry->outcome == AuditOutcome::denied);
  CHECK(entry->count == 2);
}

TEST_CASE("audit: no secret, digest of a secret or sealed payload stands in an entry") {
  const std::string needles[] = {base64("SECRETSECRETSECRETSECRETSECRET!!"), "SECRET"};
  const Blob secret{"SECRETSECRETSECRETSECRETSECRET!!"};
  ApiKeyCreated key = filled<ApiKeyCreated>();
  key.secret_sha256 = secret;
  OrganizationCreated org = filled<OrganizationCreated>();
  org.callback_secret.sealed = secret;
  WebhookEndpointCreated endpoint = filled<WebhookEndpointCreated>();
  endpoint.secret.sealed = secret;
  endpoint.url = "https://user:SECRET@example.com/SECRET";
  ExecutionRequested request = filled<ExecutionRequested>();
  request.payload.sealed = secret;
  for (const EventBody& body :
       {EventBody(key), EventBody(org), EventBody(endpoint), EventBody(request)}) {
    for (const auto reason : {VoidReason::none, VoidReason::invalid}) {
      const auto entry = audit_entry_of(acted(body), judged(reason), kOrigin);
      const std::string text = json::print(to_json(*entry));
      for (const auto& needle : needles) CHECK(text.find(needle) == std::string::npos);
    }
  }
}

TEST_CASE("audit: whatever an event holds, its entry fits an entry bundle of the audit log") {
  // C2SP tlog-tiles: the length of an entry has 16 bits. NUL takes six bytes in JSON.
  const std::string huge(200'000, '\0');
  const auto inflate = [&huge](auto body) {
    Event event = acted(std::move(body));
    event.subject = event.request_id = huge;
    event.actor->name = event.actor->auth_method = event.actor->address = event.actor->user_agent =
        huge;
    return event;
  };
  OrganizationCreated org = filled<OrganizationCreated>();
  org.name = huge;
  ApiKeyCreated key = filled<ApiKeyCreated>();
  key.name = huge;
  BillingGranted grant = filled<BillingGranted>();
  grant.reason = huge;
  EffectResolved resolved = filled<EffectResolved>();
  resolved.effect = huge;
  LogLossAccepted loss = filled<LogLossAccepted>();
  loss.reason = loss.old_identity = huge;
  loss.partitions.resize(4096, {huge, 0, 2, 1});
  AccessDenied denied = filled<AccessDenied>();
  denied.action = denied.reason = huge;
  PlatformAccessDenied nobody = filled<PlatformAccessDenied>();
  nobody.action = nobody.reason = huge;
  for (const Event& event : {inflate(org), inflate(key), inflate(grant), inflate(resolved),
                             inflate(loss), inflate(denied), inflate(nobody)}) {
    const auto entry = audit_entry_of(event, judged(VoidReason::none), kOrigin);
    CHECK(json::print(to_json(*entry)).size() <= 65'535);
  }
}
