// SPDX-License-Identifier: Apache-2.0
// A log that is away: writes wait, then are refused; reads go on and say how old they are.
#include <doctest/doctest.h>

#include "world.h"

namespace sandtrail {
namespace {

// So long that every partition has noticed how the log is.
void noticed(World& world, bool away) {
  const Deadline deadline;
  for (const TopicPartition& where : world.runtime.partitions()) {
    while (world.runtime.away(where).has_value() != away) {
      REQUIRE(!deadline.over());
      world.clock.advance(Millis{100});
      world.look<bool>(where, [](const CoreState&) { return true; });  // makes it step
    }
  }
}

struct Cut {
  explicit Cut(World& in) : world(in), since(in.clock.now()) {
    world.log.cut(true);
    noticed(world, true);
  }
  void over() {
    world.log.cut(false);
    noticed(world, false);
  }
  World& world;
  UnixMs since;
};

}  // namespace

TEST_CASE("writes are refused at once when the log has been away for longer than the bound") {
  GatewayOptions options;
  options.log_away = seconds(5);
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  const std::string org = "/operator/organizations/" + tenant.org.text();
  const std::size_t keys = keys_in(world);
  Cut cut(world);
  world.clock.advance(seconds(6));
  for (const Reply& reply :
       {world.call("POST", "/v1/executions", tenant.api_key, python()),
        world.call("POST", "/v1/api-keys", tenant.api_key, R"({"name":"n","role":"viewer"})"),
        world.as_operator("POST", org + "/grants", R"({"amount_credits":"1","reason":"r"})"),
        world.as_operator("POST", "/operator/organizations", R"({"name":"new"})")}) {
    CHECK(reply.status == 503);
    CHECK(reply.code() == "log_away");
    CHECK(reply.field("Retry-After") == "5");
    CHECK(reply.text("detail") ==
          "nothing was done; the log takes nothing since " + rfc3339(cut.since));
  }
  // Nothing was made for them.
  CHECK(keys_in(world) == keys);
  CHECK(world.as_admin("/readyz").status == 503);
  CHECK(world.as_admin("/readyz").body ==
        "the log is away since " + rfc3339(cut.since) + ": the log is away\n");
  CHECK(world.as_admin("/readyz?verbose").body.find("[-] log: degraded since") !=
        std::string::npos);
  CHECK(world.as_admin("/livez").status == 200);
  cut.over();
  CHECK(world.as_admin("/readyz").status == 200);
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).status == 202);
}

TEST_CASE("before the bound a write waits, and is done when the log is back") {
  GatewayOptions options;
  options.log_away = minutes(1);
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  Cut cut(world);
  const Pending pending = world.send("POST", "/v1/executions", tenant.api_key, python());
  CHECK(world.as_admin("/readyz").status == 200);
  CHECK_FALSE(pending.answered());
  cut.over();
  CHECK(pending.get().status == 202);
}

TEST_CASE("a key that is not stored within the bound is waited for no longer, and destroyed") {
  GatewayOptions options;
  options.log_away = seconds(5);
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  const std::size_t keys = keys_in(world);
  for (const bool stored_later : {true, false}) {
    CAPTURE(stored_later);
    world.key_store.hold();
    const Pending created = world.send("POST", "/v1/executions", tenant.api_key, python());
    const Deadline deadline;
    while (!created.answered()) {
      REQUIRE(!deadline.over());
      world.clock.advance(Millis{200});
      world.gateway.tick();
      std::this_thread::yield();
    }
    const Reply reply = created.get();
    CHECK(reply.status == 503);
    CHECK(reply.code() == "log_away");
    CHECK(reply.field("Retry-After") == "5");
    CHECK(reply.text("detail") == "nothing was done; the key store did not answer in time");
    if (!stored_later) world.key_store.fail(Error{ErrorCode::unavailable, "away", ""});
    world.key_store.release();
    world.key_store.fail(std::nullopt);
    until_keys(world, keys);
  }
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).status == 202);
}

TEST_CASE("reads go on while the log is away, and say how old they are") {
  World world;
  const Tenant tenant = world.tenant();
  const auto id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  const std::string path = "/v1/executions/" + id.text();
  const Reply fresh = world.call("GET", path, tenant.api_key);
  CHECK(fresh.status == 200);
  CHECK(fresh.field("Age") == "0");
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).field("Age") == "");
  Cut cut(world);
  world.clock.advance({90'000 - (world.clock.now() - cut.since).count});
  for (const Reply& reply : {world.call("GET", path, tenant.api_key),
                             world.call("GET", "/v1/executions", tenant.api_key),
                             world.call("GET", "/v1/billing/balance", tenant.api_key),
                             world.as_operator("GET", "/operator/organizations")}) {
    CHECK(reply.status == 200);
    CHECK(reply.field("Age") == "90");
  }
  // What is not there may be there by now.
  const Reply unknown =
      world.call("GET", "/v1/executions/" + ExecutionId::fresh(world.clock, world.random).text(),
                 tenant.api_key);
  CHECK(unknown.status == 404);
  CHECK(unknown.field("Age") == "90");
  const Reply stream = world.call("GET", path + "/events", tenant.api_key);
  CHECK(stream.field("Age") == "90");
  cut.over();
  CHECK(world.call("GET", path, tenant.api_key).field("Age") == "0");
}

TEST_CASE("a full disk is told as that also after the bound, and makes no read old") {
  World world;
  const Tenant tenant = world.tenant();
  world.log.degrade(true);
  noticed(world, true);
  world.clock.advance(seconds(6));
  CHECK(world.call("POST", "/v1/executions", tenant.api_key, python()).code() == "storage_full");
  CHECK(world.as_admin("/readyz").status == 503);
  CHECK(world.call("GET", "/v1/executions", tenant.api_key).field("Age") == "0");
}

TEST_CASE("until the log was there once, the API says so and health is served") {
  ManualClock clock;
  SeededRandom random{1};
  MemoryLog log({}, clock);
  MemoryKvStore store;
  Worker worker;
  RuntimeOptions runtime_options;
  runtime_options.events_partitions = 1;
  Runtime runtime(runtime_options, log, store, clock, random);
  MemoryKeyStore keys;
  MemoryObjectStore objects;
  Keyring keyring(SecretBytes(Bytes(32, 'k')), keys, clock, random);
  Payloads payloads(keyring, objects);
  GatewayOptions options;
  options.threads = false;
  Gateway gateway(options, {runtime, log, &keyring, &payloads, clock, random,
                            [&](std::function<void()> task) { worker.post(std::move(task)); }});
  runtime.add(std::make_unique<ReadModel>());
  log.cut(true);
  REQUIRE_FALSE(runtime.start().ok());
  const auto get = [](const http::Handler& handler, const std::string& path) {
    return World::send_to(handler, "GET", path, "", {}).get();
  };
  const Reply refused = get(gateway.public_handler(), "/v1/executions");
  CHECK(refused.status == 503);
  CHECK(refused.code() == "not_ready");
  CHECK(refused.text("detail") == "waiting for the log: the log is away (wait)");
  CHECK(get(gateway.operator_handler(), "/operator/organizations").code() == "not_ready");
  CHECK(get(gateway.operator_handler(), "/operator/status").text("not_ready_because") ==
        "waiting for the log: the log is away (wait)");
  CHECK(get(gateway.admin_handler(), "/livez").status == 200);
  CHECK(get(gateway.admin_handler(), "/readyz").status == 503);
  log.cut(false);
  REQUIRE(runtime.start().ok());
  CHECK(get(gateway.public_handler(), "/v1/executions").status == 401);
  gateway.stop();
  runtime.stop();
  worker.finish();
}

TEST_CASE("a process without the gateway role serves what operators ask of any process") {
  ManualClock clock;
  SeededRandom random{1};
  MemoryLog log({}, clock);
  MemoryKvStore store;
  Worker worker;
  Runtime runtime({}, log, store, clock, random);
  GatewayOptions options;
  options.threads = false;
  Gateway gateway(options, {runtime, log, nullptr, nullptr, clock, random,
                            [&](std::function<void()> task) { worker.post(std::move(task)); }});
  REQUIRE(runtime.start().ok());
  CHECK(
      World::send_to(gateway.operator_handler(), "GET", "/operator/status", "", {}).get().status ==
      200);
  CHECK(
      World::send_to(gateway.operator_handler(), "GET", "/operator/digests", "", {}).get().status ==
      200);
  CHECK(
      World::send_to(gateway.operator_handler(), "GET", "/operator/effects", "", {}).get().status ==
      200);
  CHECK(World::send_to(gateway.operator_handler(), "GET", "/operator/organizations", "", {})
            .get()
            .status == 404);
  CHECK(World::send_to(gateway.admin_handler(), "GET", "/livez", "", {}).get().status == 200);
  gateway.stop();
  runtime.stop();
  worker.finish();
}

}  // namespace sandtrail
