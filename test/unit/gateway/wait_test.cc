// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "world.h"

using namespace sandtrail;

TEST_CASE("who prefers to wait gets the result") {
  World world;
  const Tenant tenant = world.tenant();
  const Pending pending = world.send("POST", "/v1/executions", tenant.api_key, python(),
                                     {{"Prefer", "respond-async, wait=30"}});
  world.until_waiting(1, 0);
  CHECK(!pending.answered());
  const auto made = world.logged<ExecutionRequested>(world.runtime.home(tenant.org));
  REQUIRE(made.size() == 1);
  world.run_to_end(tenant, made[0].second.execution);
  const Reply reply = pending.get();
  CHECK(reply.status == 200);
  CHECK(reply.field("Preference-Applied") == "wait=30");
  CHECK(reply.text("status") == "finished");
  CHECK(reply.text("stdout") == "hello\n");
  world.until_waiting(0, 0);
}

TEST_CASE("a wait that is over answers with what is known") {
  World world;
  const Tenant tenant = world.tenant();
  const Pending pending =
      world.send("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", "wait=600"}});
  world.until_waiting(1, 0);
  world.clock.advance(seconds(limits::kPreferWaitSecondsMax));
  world.gateway.tick();
  const Reply reply = pending.get();
  CHECK(reply.status == 202);
  CHECK(reply.field("Preference-Applied") == "wait=60");
  CHECK(reply.field("Retry-After") == "1");
  CHECK(reply.text("status") == "requested");
}

TEST_CASE("a key that was revoked in the meantime gets nothing") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply other =
      world.call("POST", "/v1/api-keys", tenant.api_key, R"({"name":"other","role":"member"})");
  REQUIRE(other.status == 201);
  const Pending pending = world.send("POST", "/v1/executions", other.text("api_key"), python(),
                                     {{"Prefer", "wait=30"}});
  world.until_waiting(1, 0);
  const auto made = world.logged<ExecutionRequested>(world.runtime.home(tenant.org));
  REQUIRE(made.size() == 1);
  const std::string trail = "/v1/executions/" + made[0].second.execution.text() + "/events";
  const Pending stream = world.send("GET", trail, other.text("api_key"));
  world.until_waiting(1, 1);
  CHECK(world.call("DELETE", "/v1/api-keys/" + other.text("id"), tenant.api_key).status == 204);
  world.until_waiting(1, 0);
  world.run_to_end(tenant, made[0].second.execution);
  CHECK(pending.get().code() == "key_revoked");
}

TEST_CASE("who waits is answered at the end of the server") {
  World world;
  const Tenant tenant = world.tenant();
  const Pending pending =
      world.send("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", "wait=30"}});
  world.until_waiting(1, 0);
  world.gateway.end_waiting();
  CHECK(pending.get().status == 202);
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", "wait=30"}})
            .status == 202);
}

TEST_CASE("a malformed preference is ignored") {
  World world;
  const Tenant tenant = world.tenant();
  for (const std::string prefer : {"wait=", "wait=-1", "wait=1.5", "wait=x", "wait", "wait=0"}) {
    CAPTURE(prefer);
    CHECK(world.call("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", prefer}})
              .status == 202);
  }
}

TEST_CASE("a repeat may wait for the first one's result") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply first =
      world.call("POST", "/v1/executions", tenant.api_key, python(), {{"Idempotency-Key", "k"}});
  const Pending repeat = world.send("POST", "/v1/executions", tenant.api_key, python(),
                                    {{"Idempotency-Key", "k"}, {"Prefer", "wait=5"}});
  world.until_waiting(1, 0);
  world.run_to_end(tenant, id_of(first));
  CHECK(repeat.get().status == 200);
}

TEST_CASE("a wait ends when its client goes away") {
  World world;
  const Tenant tenant = world.tenant();
  const Pending pending =
      world.send("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", "wait=30"}});
  world.until_waiting(1, 0);
  pending.go_away();
  world.until_waiting(0, 0);
}

TEST_CASE("a thousand clients wait at once and all are answered") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply made = world.call("POST", "/v1/executions", tenant.api_key, python());
  const ExecutionId id = id_of(made);
  std::vector<Pending> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(world.send("GET", "/v1/executions/" + id.text(), tenant.api_key, "",
                             {{"Prefer", "wait=30"}}));
  }
  world.until_waiting(1000, 0);
  world.run_to_end(tenant, id);
  for (const Pending& pending : all) {
    const Reply reply = pending.get();
    REQUIRE(reply.status == 200);
    REQUIRE(reply.text("status") == "finished");
  }
  world.until_waiting(0, 0);
}

TEST_CASE("stopping answers those who wait") {
  World world;
  const Tenant tenant = world.tenant();
  const Pending pending =
      world.send("POST", "/v1/executions", tenant.api_key, python(), {{"Prefer", "wait=30"}});
  world.until_waiting(1, 0);
  world.gateway.stop();
  CHECK(pending.get().status == 202);
}

TEST_CASE("a read waits for the position that its caller has seen") {
  World world;
  const Tenant tenant = world.tenant();
  const auto home = world.runtime.home(tenant.org);
  const Reply made = world.call("POST", "/v1/executions", tenant.api_key, python());
  const std::string path = "/v1/executions/" + made.text("id");
  const std::string seen = made.field("Sandtrail-Position");
  CHECK(seen.starts_with(home.text() + "/"));
  CHECK(world.call("GET", path, tenant.api_key, "", {{"Sandtrail-Position", seen}}).status == 200);

  const Pending early = world.send("GET", path, tenant.api_key, "",
                                   {{"Sandtrail-Position", home.text() + "/1000000"}});
  while (!early.answered()) {
    world.clock.advance(seconds(1));
    world.folded(home);
  }
  CHECK(early.get().status == 504);
  CHECK(early.get().code() == "not_yet");

  const std::string other = "events/" + std::to_string(1 - home.partition) + "/1";
  for (const std::string& bad :
       {std::string("17"), std::string("events/0"), other, std::string("events/x/1"),
        std::string("events/0/-1"), std::string("nothing/0/1"), std::string("audit/9/1")}) {
    CAPTURE(bad);
    const Reply reply = world.call("GET", path, tenant.api_key, "", {{"Sandtrail-Position", bad}});
    CHECK(reply.status == 400);
    CHECK(reply.code() == "invalid_parameter");
  }
}
