// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <future>

#include "crypto/digest.h"
#include "wire/event_codec.h"
#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;

namespace {

std::string with_other_secret(std::string key) {
  key.back() = key.back() == '0' ? '1' : '0';
  return key;
}

KeyId key_id_of(const std::string& key) {
  return KeyId::parse("key_" + key.substr(30, 26)).value();
}

}  // namespace

TEST_CASE("a request without a good key is refused and told so") {
  World world;
  const Tenant tenant = world.tenant();
  const Tenant other = world.tenant();
  const std::string stranger =
      "st_" + std::string(26, '0') + "_" + std::string(26, '0') + "_" + std::string(32, '0');
  const struct {
    std::string name;
    HeaderList headers;
    std::string code;
  } rows[] = {
      {"no key", {}, "unauthenticated"},
      {"another scheme", {{"Authorization", "Basic " + tenant.api_key}}, "unauthenticated"},
      {"no scheme", {{"Authorization", tenant.api_key}}, "unauthenticated"},
      {"a short key", {{"Authorization", "Bearer st_1"}}, "unauthenticated"},
      {"a key with upper case",
       {{"Authorization", "Bearer ST" + tenant.api_key.substr(2)}},
       "unauthenticated"},
      {"an unknown organisation", {{"Authorization", "Bearer " + stranger}}, "key_unknown"},
      {"a wrong secret",
       {{"Authorization", "Bearer " + with_other_secret(tenant.api_key)}},
       "key_unknown"},
      {"a key of another organisation",
       {{"Authorization", "Bearer " + tenant.api_key.substr(0, 30) + other.api_key.substr(30)}},
       "key_unknown"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Reply reply = world.call("GET", "/v1/executions", "", "", row.headers);
    CHECK(reply.status == 401);
    CHECK(reply.code() == row.code);
    CHECK(reply.field("WWW-Authenticate").starts_with("Bearer"));
  }
  CHECK(world.call("GET", "/v1/executions", "", "", {{"Authorization", "bearer " + tenant.api_key}})
            .status == 200);
}

TEST_CASE("a wrong body is not told to whom the key is not") {
  World world;
  world.tenant();
  const Reply reply = world.call("POST", "/v1/executions", "st_1", "{nonsense");
  CHECK(reply.status == 401);
}

TEST_CASE("revoked and expired keys are refused as such") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply made = world.call(
      "POST", "/v1/api-keys", tenant.api_key,
      R"({"name":"short","expires_at":")" + rfc3339(world.clock.now() + hours(1)) + "\"}");
  REQUIRE(made.status == 201);
  const std::string brief = made.text("api_key");
  const std::string revoked = world.new_key(tenant, "member");
  CHECK(world.call("GET", "/v1/executions", brief).status == 200);
  CHECK(world.call("GET", "/v1/executions", revoked).status == 200);
  const std::string path = "/v1/api-keys/" + key_id_of(revoked).text();
  CHECK(world.call("DELETE", path, tenant.api_key).status == 204);
  CHECK(world.call("DELETE", path, tenant.api_key).status == 204);
  CHECK(world.call("GET", "/v1/executions", revoked).code() == "key_revoked");
  world.clock.advance(hours(1));
  const Reply expired = world.call("GET", "/v1/executions", brief);
  CHECK(expired.status == 401);
  CHECK(expired.code() == "key_expired");
}

TEST_CASE("a role allows what it includes, and nothing else") {
  World world;
  const Tenant tenant = world.tenant();
  const struct {
    std::string role;
    int read, run, manage, audit;
  } rows[] = {{"viewer", 200, 403, 403, 403},
              {"member", 200, 202, 403, 403},
              {"admin", 200, 202, 200, 200},
              {"auditor", 200, 403, 403, 200}};
  for (const auto& row : rows) {
    CAPTURE(row.role);
    const std::string key = world.new_key(tenant, row.role);
    CHECK(world.call("GET", "/v1/billing/balance", key).status == row.read);
    CHECK(world.call("POST", "/v1/executions", key, python()).status == row.run);
    CHECK(world.call("GET", "/v1/api-keys", key).status == row.manage);
    CHECK(world.call("GET", "/v1/audit/entries", key).status == row.audit);
  }
  const Reply refused =
      world.call("POST", "/v1/executions", world.new_key(tenant, "viewer"), python());
  CHECK(refused.code() == "missing_role");
  CHECK(refused.text("detail").find("member") != std::string::npos);
}

TEST_CASE("refused attempts are counted for a minute and then written once") {
  World world;
  const Tenant tenant = world.tenant();
  const auto home = world.runtime.home(tenant.org);
  const std::string viewer = world.new_key(tenant, "viewer");
  for (int i = 0; i < 3; ++i) {
    CHECK(world.call("POST", "/v1/executions", viewer, python(), {{"User-Agent", "t/1"}}).status ==
          403);
    world.clock.advance(seconds(1));
  }
  CHECK(world.call("GET", "/v1/executions", with_other_secret(viewer)).status == 401);
  for (int i = 0; i < 2; ++i) CHECK(world.call("GET", "/v1/executions", "").status == 401);
  world.gateway.tick();
  CHECK(world.logged<AccessDenied>(home).empty());

  world.clock.advance(minutes(1));
  world.gateway.tick();
  world.until(home, [&world](const CoreState&) { return true; });
  const auto denied = world.logged<AccessDenied>(home);
  REQUIRE(denied.size() == 2);
  for (const auto& [event, body] : denied) {
    REQUIRE(event.actor.has_value());
    CHECK(event.actor->key == key_id_of(viewer));
    CHECK(event.actor->address == "192.0.2.7");
    if (body.reason == "missing_role") {
      CHECK(body.action == "execution.create");
      CHECK(body.count == 3);
      CHECK(body.last - body.first == Millis{2000});
      CHECK(event.actor->kind == ActorKind::api_key);
      CHECK(event.actor->name == "a viewer");
      CHECK(event.actor->user_agent == "t/1");
    } else {
      CHECK(body.reason == "wrong_secret");
      CHECK(event.actor->kind == ActorKind::unauthenticated);
      CHECK(event.actor->name.empty());
    }
  }
  const auto strangers = world.logged<PlatformAccessDenied>({kPlatformTopic, 0});
  REQUIRE(strangers.size() == 1);
  CHECK(strangers[0].second.count == 2);
  CHECK(strangers[0].second.reason == "no_key");
  CHECK(strangers[0].first.actor->kind == ActorKind::unauthenticated);
}

TEST_CASE("what was counted is written when the gateway stops") {
  World world;
  const Tenant tenant = world.tenant();
  CHECK(world.call("GET", "/v1/executions", "").status == 401);
  world.gateway.stop();
  CHECK(world.logged<PlatformAccessDenied>({kPlatformTopic, 0}).size() == 1);
}

TEST_CASE("a key that stands in the log but is not folded here yet is good") {
  World world;
  const Tenant tenant = world.tenant();
  const auto home = world.runtime.home(tenant.org);
  const std::string text =
      tenant.api_key.substr(0, 30) + std::string(26, '1') + "_" + std::string(32, '2');
  ApiKeyCreated made;
  made.key = key_id_of(text);
  made.name = "made elsewhere";
  made.secret_sha256.bytes = sha256(text);
  Event event;
  event.id = EventId::fresh(world.clock, world.random);
  event.time = world.clock.now();
  event.org = tenant.org;
  event.actor = Actor{ActorKind::op, std::nullopt, "op", "socket", "", ""};
  event.body = made;
  // The first read holds the partition's thread until the second and the request wait behind it;
  // the second appends, so that the request finds a log that goes further than the fold.
  std::promise<void> release;
  auto released = release.get_future();
  REQUIRE(world.runtime.query(home, [&released](const PartitionView&) { released.wait(); }));
  REQUIRE(world.runtime.query(home, [&](const PartitionView&) {
    world.log.append(home, encode_event(event).value(), [](const AppendOutcome&) {});
  }));
  const Pending pending = world.send("GET", "/v1/executions", text);
  release.set_value();
  CHECK(pending.get().status == 200);
}
