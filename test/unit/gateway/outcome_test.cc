// SPDX-License-Identifier: Apache-2.0
// What becomes of requests that cannot be done now, or whose outcome is not known.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "world.h"

using namespace sandtrail;

TEST_CASE("without credits for the worst case nothing is queued") {
  World world;
  const Tenant tenant = world.tenant("0.5");
  const Reply reply = world.call("POST", "/v1/executions", tenant.api_key, python());
  CHECK(reply.status == 402);
  CHECK(reply.code() == "insufficient_credits");
  const Reply small = world.call("POST", "/v1/executions", tenant.api_key,
                                 python(R"(,"limits":{"wall_ms":10,"memory_mib":8})"));
  CHECK(small.status == 202);
}

TEST_CASE("before a rate card is adopted the server is not ready") {
  World world;
  const Reply made = world.as_operator("POST", "/operator/organizations", R"({"name":"a"})");
  REQUIRE(made.status == 201);
  const Reply reply = world.call("POST", "/v1/executions", made.text("api_key"), python());
  CHECK(reply.status == 503);
  CHECK(reply.code() == "not_ready");
}

TEST_CASE("a full queue is told apart, and a repeat of what is in it is not refused") {
  World world;
  const Tenant tenant = world.tenant();
  const std::string path = "/operator/organizations/" + tenant.org.text() + "/limits";
  CHECK(world.as_operator("POST", path, R"({"queued_max":1})").status == 200);
  const Reply first = world.call("POST", "/v1/executions", tenant.api_key, python(),
                                 {{"Idempotency-Key", "\"k1\""}});
  REQUIRE(first.status == 202);
  CHECK(first.field("RateLimit") == "\"queued\";r=0");
  const Reply full = world.call("POST", "/v1/executions", tenant.api_key, python());
  CHECK(full.status == 429);
  CHECK(full.code() == "queue_full");
  CHECK(full.field("Retry-After") == "1");
  const Reply repeat = world.call("POST", "/v1/executions", tenant.api_key, python(),
                                  {{"Idempotency-Key", "\"k1\""}});
  CHECK(repeat.status == 202);
  CHECK(repeat.text("id") == first.text("id"));
}

TEST_CASE("the same Idempotency-Key makes one execution, and another body is a conflict") {
  World world;
  const Tenant tenant = world.tenant();
  const auto post = [&](const std::string& body, const std::string& key) {
    return world.call("POST", "/v1/executions", tenant.api_key, body, {{"Idempotency-Key", key}});
  };
  const Reply first = post(python(), "\"a \\\"key\\\"\"");
  REQUIRE(first.status == 202);
  const std::size_t keys = keys_in(world);
  CHECK(post(python(), "\"a \\\"key\\\"\"").text("id") == first.text("id"));
  CHECK(post(python(), "a \"key\"").text("id") == first.text("id"));
  CHECK(keys_in(world) == keys);
  const Reply conflict = post(python(R"(,"stdin":"x")"), "a \"key\"");
  CHECK(conflict.status == 422);
  CHECK(conflict.code() == "idempotency_conflict");
  CHECK(post(python(), "another").text("id") != first.text("id"));
  // Scoped to the organisation.
  const Tenant other = world.tenant();
  const Reply elsewhere = world.call("POST", "/v1/executions", other.api_key, python(),
                                     {{"Idempotency-Key", "another"}});
  CHECK(elsewhere.status == 202);
  for (const std::string bad : {"\"\"", "\"a", "\"a\"b\"", "\"a\\x\""}) {
    CAPTURE(bad);
    CHECK(post(python(), bad).code() == "invalid_parameter");
  }
  CHECK(post(python(), std::string(limits::kIdempotencyKeyBytesMax + 1, 'k')).status == 400);
  // Neither the key nor the body stands in the log.
  for (const auto& [event, body] :
       world.logged<ExecutionRequested>(world.runtime.home(tenant.org))) {
    REQUIRE(event.idempotency.has_value());
    CHECK(event.idempotency->key_hmac.bytes.size() == 32);
    CHECK(event.idempotency->body_hmac.bytes.size() == 32);
  }
}

TEST_CASE("repeats that race make one execution, and the loser's key is destroyed") {
  World world;
  const Tenant tenant = world.tenant();
  std::vector<Pending> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(world.send("POST", "/v1/executions", tenant.api_key, python(),
                             {{"Idempotency-Key", "race"}}));
  }
  const Reply first = all.front().get();
  for (const Pending& pending : all) {
    const Reply reply = pending.get();
    CHECK(reply.status == 202);
    CHECK(reply.text("id") == first.text("id"));
  }
  // Of the organisation and of the one execution; the worker destroys the rest.
  until_keys(world, 2);
}

TEST_CASE("a full disk is told, and leaves no key behind") {
  World world;
  const Tenant tenant = world.tenant();
  world.log.degrade(true);
  const Reply reply = world.call("POST", "/v1/executions", tenant.api_key, python());
  CHECK(reply.status == 503);
  CHECK(reply.code() == "storage_full");
  until_keys(world, 1);
  world.log.degrade(false);
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).status == 202);
}

TEST_CASE("a log that does not answer is an unknown outcome, not a wait without end") {
  GatewayOptions options;
  options.log_away = minutes(10);
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  world.log.stall(true);
  const Pending pending =
      world.send("POST", "/v1/executions", tenant.api_key, python(), {{"Idempotency-Key", "k"}});
  while (!pending.answered()) {
    world.clock.advance(seconds(1));
    world.gateway.tick();
    std::this_thread::yield();
  }
  const Reply reply = pending.get();
  CHECK(reply.status == 504);
  CHECK(reply.code() == "outcome_unknown");
  CHECK(reply.text("detail").find("Idempotency-Key") != std::string::npos);
  world.log.stall(false);
}

TEST_CASE("stores that are away are told as such, and nothing is appended") {
  World world;
  const Tenant tenant = world.tenant();
  const std::string large = python(R"(,"stdin":")" + std::string(100'000, 'x') + "\"");
  world.objects.fail(Error{ErrorCode::unavailable, "the device is away", ""});
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, large).code() == "unavailable");
  world.objects.fail(std::nullopt);
  until_keys(world, 1);
  world.key_store.fail(Error{ErrorCode::disk_full, "no space", ""});
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).code() == "storage_full");
  world.key_store.fail(std::nullopt);
  CHECK(world.logged<ExecutionRequested>(world.runtime.home(tenant.org)).empty());
  const Reply made = world.call("POST", "/v1/executions", tenant.api_key, large);
  CHECK(made.status == 202);
  CHECK(world.objects.count() == 1);
  const auto events = world.logged<ExecutionRequested>(world.runtime.home(tenant.org));
  CHECK(events.at(0).second.payload.sealed.bytes.empty());
}

TEST_CASE("the payload in the log is sealed") {
  World world;
  const Tenant tenant = world.tenant();
  world.call("POST", "/v1/executions", tenant.api_key,
             python(R"(,"metadata":{"customer":"secret-name"},"thread":"secret-thread")"));
  auto reader = world.log.open_reader(world.runtime.home(tenant.org), {0});
  REQUIRE(reader.ok());
  const auto batch = (*reader)->poll(1 << 20);
  REQUIRE(batch.ok());
  for (const auto& stored : batch->records) {
    CHECK(stored.record.value.find("secret-") == std::string::npos);
    CHECK(stored.record.value.find("print(") == std::string::npos);
  }
}
