// SPDX-License-Identifier: Apache-2.0
// Legality of control events: one event a row, what becomes of it last.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr auto kInvalid = VoidReason::invalid;
constexpr auto kNone = VoidReason::none;
constexpr auto kNotFound = VoidReason::not_found;

Event expecting(Event event, std::int64_t version) {
  event.expected_version = version;
  return event;
}

ApiKeyRevoked revoke(const KeyId& key) {
  ApiKeyRevoked out;
  out.key = key;
  return out;
}

WebhookEndpointDeleted remove(const EndpointId& endpoint) {
  WebhookEndpointDeleted out;
  out.endpoint = endpoint;
  return out;
}

OrganizationLimitsChanged limit(const OrgId& org, std::int64_t queued, std::int64_t running) {
  OrganizationLimitsChanged out;
  out.organization = org;
  out.limits = {queued, running};
  return out;
}

}  // namespace

TEST_CASE("control: an organisation is created once, by an operator, with sound values") {
  const auto create = [](std::function<void(OrganizationCreated&)> change) {
    return [change](Harness& h) {
      h.org = h.id<OrgId>();
      auto body = h.organization();
      change(body);
      return h.by_operator(body);
    };
  };
  const auto other_key = [](Harness& h) {
    auto body = h.organization();
    body.organization = h.id<OrgId>();
    return h.by_operator(body);
  };
  check_rows(
      world(),
      {
          {"new", create([](auto&) {}), kNone},
          {"again", [](Harness& h) { return h.by_operator(h.organization()); },
           VoidReason::already_exists},
          {"by a key",
           [](Harness& h) {
             const KeyId key = h.admin;
             h.org = h.id<OrgId>();
             return h.by_key(key, h.organization());
           },
           VoidReason::missing_role},
          {"nil",
           [](Harness& h) {
             h.org = OrgId{};
             return h.by_operator(h.organization());
           },
           kInvalid},
          {"record of another", other_key, kInvalid},
          {"no name", create([](auto& b) { b.name = ""; }), kInvalid},
          {"long name", create([](auto& b) { b.name = std::string(128, 'n'); }), kNone},
          {"too long name", create([](auto& b) { b.name = std::string(129, 'n'); }), kInvalid},
          {"no grant", create([](auto& b) { b.grant = {0}; }), kNone},
          {"negative grant", create([](auto& b) { b.grant = {-1}; }), kInvalid},
          {"most", create([](auto& b) { b.grant = {limits::kGrantMicroCreditsMax}; }), kNone},
          {"over", create([](auto& b) { b.grant = {limits::kGrantMicroCreditsMax + 1}; }),
           kInvalid},
          {"queue 0", create([](auto& b) {
             b.limits = {0, 0};
           }),
           kNone},
          {"queue -1", create([](auto& b) { b.limits.queued_max = -1; }), kInvalid},
          {"running -1", create([](auto& b) { b.limits.running_max = -1; }), kInvalid},
      });
}

TEST_CASE("control: limits are changed by an operator who saw the version in force") {
  const Harness base = world();
  const std::int64_t version = base.org_row().version;
  const auto change = [](std::int64_t queued, std::int64_t running) {
    return [=](Harness& h) { return h.by_operator(limit(h.org, queued, running)); };
  };
  const auto seen = [](std::int64_t v) {
    return [v](Harness& h) { return expecting(h.by_operator(limit(h.org, 1, 1)), v); };
  };
  check_rows(base,
             {
                 {"change", change(1, 1), kNone},
                 {"close", change(0, 0), kNone},
                 {"queued -1", change(-1, 1), kInvalid},
                 {"running -1", change(1, -1), kInvalid},
                 {"seen", seen(version), kNone},
                 {"older", seen(version - 1), VoidReason::version_mismatch},
                 {"newer", seen(version + 1), VoidReason::version_mismatch},
                 {"body of another",
                  [](Harness& h) { return h.by_operator(limit(h.other_org, 1, 1)); }, kNotFound},
             });
  Harness h = base;
  h.apply(change(9, 8)(h));
  CHECK(h.org_row().version == version + 1);
  CHECK(h.org_row().limits.queued_max == 9);
  CHECK(h.org_row().limits.running_max == 8);
  CHECK_FALSE(h.fold(seen(version)(h)).applied());
}

TEST_CASE("control: an API key is created by an admin with sound values") {
  const auto create = [](std::function<void(ApiKeyCreated&)> change) {
    return [change](Harness& h) {
      auto body = h.key(KeyRole::viewer);
      change(body);
      return h.by_key(h.admin, body);
    };
  };
  const auto by = [](KeyId Harness::*who) {
    return [who](Harness& h) { return h.by_key(h.*who, h.key(KeyRole::viewer)); };
  };
  const Harness base = world();
  const UnixMs now = base.now;
  const auto seen = [&base](std::int64_t off) {
    return [version = base.org_row().version + off](Harness& h) {
      return expecting(h.by_key(h.admin, h.key(KeyRole::viewer)), version);
    };
  };
  check_rows(
      base,
      {
          {"admin", by(&Harness::admin), kNone},
          {"member", by(&Harness::member), VoidReason::missing_role},
          {"auditor", by(&Harness::auditor), VoidReason::missing_role},
          {"operator", [](Harness& h) { return h.by_operator(h.key(KeyRole::admin)); }, kNone},
          {"nil", create([](auto& b) { b.key = {}; }), kInvalid},
          {"no name", create([](auto& b) { b.name = ""; }), kInvalid},
          {"long name", create([](auto& b) { b.name = std::string(129, 'n'); }), kInvalid},
          {"short digest", create([](auto& b) { b.secret_sha256.bytes.pop_back(); }), kInvalid},
          {"long digest", create([](auto& b) { b.secret_sha256.bytes += 'x'; }), kInvalid},
          {"expired", create([now](auto& b) { b.expires = now; }), kInvalid},
          {"not yet", create([now](auto& b) { b.expires = now + Millis{1}; }), kNone},
          {"taken id", create([&base](auto& b) { b.key = base.viewer; }),
           VoidReason::already_exists},
          {"another's id", create([&base](auto& b) { b.key = base.other_admin; }),
           VoidReason::already_exists},
          {"seen", seen(0), kNone},
          {"not seen", seen(-1), VoidReason::version_mismatch},
      });
}

TEST_CASE("control: an organisation has at most so many keys that are not revoked") {
  Harness h = world();
  KeyId last;
  while (h.org_row().keys.size() < limits::kKeysPerOrgMax) {
    const auto body = h.key(KeyRole::viewer);
    h.apply(h.by_operator(body));
    last = body.key;
  }
  const auto create = [](Harness& b) { return b.by_operator(b.key(KeyRole::viewer)); };
  check_rows(h, {{"one too many", create, VoidReason::limit_reached}});
  h.apply(h.by_key(h.admin, revoke(last)));
  check_rows(h, {{"after revoking one", create, kNone}});
}

TEST_CASE("control: a key is revoked once, by an admin of its organisation") {
  Harness base = world();
  const auto of = [](KeyId key) {
    return [key](Harness& h) { return h.by_key(h.admin, revoke(key)); };
  };
  const auto seen = [&base](std::int64_t off) {
    return [version = base.org_row().version + off](Harness& h) {
      return expecting(h.by_key(h.admin, revoke(h.viewer)), version);
    };
  };
  check_rows(base,
             {
                 {"viewer", of(base.viewer), kNone},
                 {"itself", of(base.admin), kNone},
                 {"unknown", of(base.id<KeyId>()), kNotFound},
                 {"another's", of(base.other_admin), kNotFound},
                 {"seen", seen(0), kNone},
                 {"not seen", seen(1), VoidReason::version_mismatch},
                 {"by itself", [](Harness& h) { return h.by_key(h.member, revoke(h.member)); },
                  VoidReason::missing_role},
             });
  base.apply(of(base.viewer)(base));
  check_rows(base, {{"again", of(base.viewer), VoidReason::wrong_state}});
}

TEST_CASE("control: a webhook endpoint is created and deleted by an admin") {
  Harness base = world();
  const auto create = [](std::function<void(WebhookEndpointCreated&)> change) {
    return [change](Harness& h) {
      auto body = h.endpoint();
      change(body);
      return h.by_key(h.admin, body);
    };
  };
  const EndpointId mine = base.add_endpoint();
  const auto del = [](EndpointId id) {
    return [id](Harness& h) { return h.by_key(h.admin, remove(id)); };
  };
  const auto of_other = [mine](Harness& h) {
    Event event = h.by_key(h.other_admin, remove(mine));
    event.org = h.other_org;
    return event;
  };
  const auto seen = [&base, mine](std::int64_t off) {
    return [mine, version = base.org_row().version + off](Harness& h) {
      return expecting(h.by_key(h.admin, remove(mine)), version);
    };
  };
  const auto create_seen = [&base](std::int64_t off) {
    return [version = base.org_row().version + off](Harness& h) {
      return expecting(h.by_key(h.admin, h.endpoint()), version);
    };
  };
  using Filters = std::vector<std::string>;
  check_rows(
      base,
      {
          {"new", create([](auto&) {}), kNone},
          {"nil", create([](auto& b) { b.endpoint = {}; }), kInvalid},
          {"no url", create([](auto& b) { b.url = ""; }), kInvalid},
          {"long url", create([](auto& b) { b.url = std::string(2048, 'u'); }), kNone},
          {"too long url", create([](auto& b) { b.url = std::string(2049, 'u'); }), kInvalid},
          {"most filters", create([](auto& b) { b.events = Filters(32, "execution.*"); }), kNone},
          {"too many filters", create([](auto& b) { b.events = Filters(33, "execution.*"); }),
           kInvalid},
          {"taken", create([mine](auto& b) { b.endpoint = mine; }), VoidReason::already_exists},
          {"seen at creation", create_seen(0), kNone},
          {"not seen at creation", create_seen(1), VoidReason::version_mismatch},
          {"by a member", [](Harness& h) { return h.by_key(h.member, h.endpoint()); },
           VoidReason::missing_role},
          {"delete", del(mine), kNone},
          {"delete unknown", del(base.id<EndpointId>()), kNotFound},
          {"delete another's", of_other, kNotFound},
          {"delete seen", seen(0), kNone},
          {"delete not seen", seen(-1), VoidReason::version_mismatch},
      });
  while (base.org_row().endpoints.size() < limits::kEndpointsPerOrgMax) base.add_endpoint();
  check_rows(base, {{"one too many", create([](auto&) {}), VoidReason::limit_reached}});
  base.apply(del(mine)(base));
  check_rows(base, {{"after deleting one", create([](auto&) {}), kNone},
                    {"delete again", del(mine), kNotFound}});
}

TEST_CASE("control: refused attempts are counted for whoever it was") {
  const auto denied = [](std::string action, std::int64_t count) {
    return [=](Harness& h) {
      AccessDenied body;
      body.action = action;
      body.reason = "missing_scope";
      body.count = count;
      return h.by_key(h.id<KeyId>(), body);
    };
  };
  check_rows(world(), {
                          {"once", denied("execution.create", 1), kNone},
                          {"never", denied("execution.create", 0), kInvalid},
                          {"negative", denied("execution.create", -1), kInvalid},
                          {"nothing", denied("", 1), kInvalid},
                      });
}
