// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "world.h"

using namespace sandtrail;

TEST_CASE("an execution is accepted, run and shown with its output and cost") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply made =
      world.call("POST", "/v1/executions", tenant.api_key,
                 python(R"(,"metadata":{"job":"7"},"thread":"t1","limits":{"wall_ms":2000})"));
  REQUIRE(made.status == 202);
  const ExecutionId id = id_of(made);
  CHECK(made.field("Location") == "/v1/executions/" + id.text());
  CHECK(made.field("Retry-After") == "1");
  CHECK(made.field("RateLimit") == "\"queued\";r=999");
  CHECK(made.field("Sandtrail-Position") == made.text("position"));
  CHECK(made.text("status") == "requested");

  world.clock.advance(Millis{40});
  world.run_to_end(tenant, id);
  const Reply shown = world.call("GET", "/v1/executions/" + id.text(), tenant.api_key);
  REQUIRE(shown.status == 200);
  CHECK(shown.text("status") == "finished");
  CHECK(shown.text("verdict") == "ok");
  CHECK(shown.text("stdout") == "hello\n");
  CHECK(shown.text("stderr") == "warning\n");
  CHECK(shown.text("thread") == "t1");
  CHECK(shown.text("retention") == "7d");
  const json::value body = shown.json();
  const auto& o = body.as_object();
  CHECK(o.at("timings").as_object().at("queue_us").as_int64() == 40'000);
  CHECK(o.at("limits").as_object().at("wall_ms").as_int64() == 2000);
  CHECK(o.at("metadata").as_object().at("job").as_string() == "7");
  // 256 MiB, one core, 1.5 s at one credit for a GiB, core and second.
  CHECK(o.at("cost").as_object().at("settled_microcredits").as_int64() == 375'000);
  CHECK(o.at("cost").as_object().at("credits").as_string() == "0.375");
  CHECK(o.at("exit_code").as_int64() == 0);
  CHECK(o.at("erased").as_bool() == false);
}

TEST_CASE("output that is not UTF-8 comes mended, and whole as base64") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  const std::string out = std::string("a\xff\xc3(\xe2\x82\xac\xf0\x9f", 9) + std::string(1, '\0');
  world.run_to_end(tenant, id, out);
  const Reply shown = world.call("GET", "/v1/executions/" + id.text(), tenant.api_key);
  CHECK(unbase64(shown.text("stdout_base64")) == out);
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(shown.text("stdout") ==
        "a" + bad + bad + "(\xe2\x82\xac" + bad + bad + std::string(1, '\0'));
  CHECK(shown.text("stderr") == "warning\n");
  CHECK(!shown.json().as_object().contains("stderr_base64"));
}

TEST_CASE("a run can be cancelled, twice is once, and what has ended cannot") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  const std::string path = "/v1/executions/" + id.text() + "/cancel";
  const Reply first = world.call("POST", path, tenant.api_key);
  CHECK(first.status == 202);
  CHECK(first.json().as_object().at("cancel_requested").as_bool());
  CHECK(first.field("Location") == "/v1/executions/" + id.text());
  CHECK(world.call("POST", path, tenant.api_key).status == 202);
  CHECK(world.logged<ExecutionCancelRequested>(world.runtime.home(tenant.org)).size() == 1);
  world.append(tenant.org, ExecutionCancelled{id}, DeciderRole::launcher);
  CHECK(world.call("POST", path, tenant.api_key).text("status") == "cancelled");

  const ExecutionId ended = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  world.run_to_end(tenant, ended);
  const Reply late =
      world.call("POST", "/v1/executions/" + ended.text() + "/cancel", tenant.api_key);
  CHECK(late.status == 409);
  CHECK(late.code() == "wrong_state");
}

TEST_CASE("an attempt that is lost goes back to the queue, and a loss says why") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id =
      id_of(world.call("POST", "/v1/executions", tenant.api_key, python(R"(,"max_attempts":2)")));
  const std::string path = "/v1/executions/" + id.text();
  world.assign(tenant, id);
  world.append(tenant.org, ExecutionAttemptLost{id, 1, true, "host_gone"}, DeciderRole::launcher);
  const Reply queued = world.call("GET", path, tenant.api_key);
  CHECK(queued.text("status") == "requested");
  CHECK(!queued.json().as_object().contains("host"));
  CHECK(queued.json().as_object().at("attempt").as_int64() == 1);
  world.assign(tenant, id, 2);
  world.append(tenant.org, ExecutionRefused{id, 2, 1, "full"});
  CHECK(world.call("GET", path, tenant.api_key).text("status") == "requested");
  world.assign(tenant, id, 3);
  world.append(tenant.org, ExecutionLost{id, 3, "host_gone"}, DeciderRole::launcher);
  const Reply lost = world.call("GET", path, tenant.api_key);
  CHECK(lost.text("status") == "lost");
  CHECK(lost.text("lost_reason") == "host_gone");
}

TEST_CASE("the actor of a request stands on its event") {
  World world;
  const Tenant tenant = world.tenant();
  world.call("POST", "/v1/executions", tenant.api_key, python(),
             {{"User-Agent", std::string(300, 'u')}, {"Request-Id", "r-1"}});
  const auto events = world.logged<ExecutionRequested>(world.runtime.home(tenant.org));
  REQUIRE(events.size() == 1);
  const Event& event = events[0].first;
  REQUIRE(event.actor.has_value());
  CHECK(event.actor->kind == ActorKind::api_key);
  CHECK(event.actor->name == "first key");
  CHECK(event.actor->auth_method == "bearer");
  CHECK(event.actor->address == "192.0.2.7");
  CHECK(event.actor->user_agent == std::string(256, 'u'));
  CHECK(event.request_id == "r-1");
}
