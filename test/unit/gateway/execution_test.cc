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
