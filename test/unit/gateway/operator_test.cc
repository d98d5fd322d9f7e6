// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "world.h"

using namespace sandtrail;

namespace {

const json::array data_of(const Reply& reply) {
  REQUIRE(reply.status == 200);
  return reply.json().as_object().at("data").as_array();
}

}  // namespace

TEST_CASE("an organisation is made with its keys, its grant and its limits") {
  World world;
  const Reply made = world.as_operator(
      "POST", "/operator/organizations",
      R"({"name":"acme","grant_credits":"12.000001","limits":{"running_max":3}})");
  REQUIRE(made.status == 201);
  const json::value body = made.json();
  const auto& shown = body.as_object().at("organization").as_object();
  CHECK(shown.at("available_microcredits").as_int64() == 12'000'001);
  CHECK(shown.at("limits").as_object().at("running_max").as_int64() == 3);
  CHECK(shown.at("limits").as_object().at("queued_max").as_int64() == 1000);
  CHECK(shown.at("api_keys").as_int64() == 1);
  CHECK(made.text("callback_secret").starts_with("whsec_"));
  const OrgId org = OrgId::parse(json::text_at(shown, "id")).value();
  const auto home = world.runtime.home(org);
  const auto row =
      world.look<OrgRow>(home, [&org](const CoreState& state) { return *state.orgs.find(org); });
  CHECK(world.payloads.open({"callback_secret", ""}, row.callback_secret).value() ==
        made.text("callback_secret"));
  const auto events = world.logged<OrganizationCreated>(home);
  REQUIRE(events.size() == 1);
  CHECK(events[0].first.actor->kind == ActorKind::op);
  CHECK(events[0].first.actor->name == "operator");
  CHECK(events[0].first.actor->auth_method == "socket");
  CHECK(world.call("GET", "/v1/billing/balance", made.text("api_key")).status == 200);
  CHECK(world.as_operator("GET", made.field("Location")).text("name") == "acme");
}

TEST_CASE("wrong bodies of operators are refused by pointer") {
  World world;
  const Tenant tenant = world.tenant();
  const std::string org = "/operator/organizations/" + tenant.org.text();
  const struct {
    std::string path;
    std::string body;
    std::vector<std::string> pointers;
  } rows[] = {
      {"/operator/organizations", "{}", {"/name"}},
      {"/operator/organizations", R"({"name":"a","grant_credits":-1})", {"/grant_credits"}},
      {"/operator/organizations",
       R"({"name":"a","grant_credits":"1.0000001"})",
       {"/grant_credits"}},
      {"/operator/organizations", R"({"name":"a","grant_credits":"1e3"})", {"/grant_credits"}},
      {"/operator/organizations",
       R"({"name":"a","limits":{"queued_max":-1}})",
       {"/limits/queued_max"}},
      {org + "/grants", R"({"reason":"gift"})", {"/amount_credits"}},
      {org + "/grants", R"({"amount_credits":0,"reason":"gift"})", {"/amount_credits"}},
      {org + "/grants", R"({"amount_credits":1})", {"/reason"}},
      {org + "/limits", "{}", {""}},
      {org + "/limits", R"({"running_max":-2})", {"/running_max"}},
      {"/operator/effects/resolve",
       R"({"topic":"events","partition":9,"role":"billing","effect":"e","action":"skip"})",
       {"/partition"}},
      {"/operator/effects/resolve",
       R"({"topic":"events","partition":0})",
       {"/role", "/effect", "/action"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const Reply reply = world.as_operator("POST", row.path, row.body);
    CHECK(reply.status == 422);
    CHECK(reply.pointers() == row.pointers);
  }
}

TEST_CASE("grants add up, and a repeat does not") {
  World world;
  const Tenant tenant = world.tenant("1");
  const std::string path = "/operator/organizations/" + tenant.org.text() + "/grants";
  const HeaderList once{{"Idempotency-Key", "g1"}};
  const std::string body = R"({"amount_credits":"0.25","reason":"gift"})";
  const auto available = [](const Reply& reply) {
    REQUIRE(reply.status == 201);
    return reply.json().as_object().at("available_microcredits").as_int64();
  };
  CHECK(available(world.as_operator("POST", path, body, once)) == 1'250'000);
  CHECK(available(world.as_operator("POST", path, body, once)) == 1'250'000);
  CHECK(available(world.as_operator("POST", path, R"({"amount_credits":2,"reason":"more"})")) ==
        3'250'000);
  const std::string nobody = "/operator/organizations/" + OrgId::derived("0123456789abcdef").text();
  CHECK(world.as_operator("POST", nobody + "/grants", body).status == 404);
  CHECK(world.as_operator("GET", nobody).status == 404);
  CHECK(world.as_operator("GET", "/operator/organizations/x").status == 404);
}

TEST_CASE("limits change where they are named, and new keys work") {
  World world;
  const Tenant tenant = world.tenant();
  const std::string org = "/operator/organizations/" + tenant.org.text();
  const Reply changed = world.as_operator("POST", org + "/limits", R"({"queued_max":7})");
  REQUIRE(changed.status == 200);
  const json::value body = changed.json();
  CHECK(body.as_object().at("limits").as_object().at("queued_max").as_int64() == 7);
  CHECK(body.as_object().at("limits").as_object().at("running_max").as_int64() == 16);
  const Reply key =
      world.as_operator("POST", org + "/api-keys", R"({"name":"rescue","role":"admin"})");
  REQUIRE(key.status == 201);
  CHECK(world.call("GET", "/v1/api-keys", key.text("api_key")).status == 200);
}

TEST_CASE("organisations are listed newest first over all partitions") {
  World world;
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) {
    world.clock.advance(Millis{5});
    made.push_back(world.tenant().org.text());
  }
  std::vector<std::string> seen;
  std::string target = "/operator/organizations?limit=2";
  for (int page = 0; page < 3; ++page) {
    const Reply reply = world.as_operator("GET", target);
    for (const auto& item : data_of(reply)) {
      seen.emplace_back(json::text_at(item.as_object(), "id"));
    }
    target = "/operator/organizations?limit=2&cursor=" + reply.text("next_cursor");
  }
  CHECK(seen == std::vector<std::string>(made.rbegin(), made.rend()));
}

TEST_CASE("status and digests tell of every partition") {
  World world;
  world.tenant();
  const json::value status = world.as_operator("GET", "/operator/status").json();
  CHECK(status.as_object().at("ready").as_bool());
  CHECK(status.as_object().at("partitions").as_array().size() == 4);
  CHECK(json::text_at(status.as_object().at("log").as_object(), "health") == "ok");
  const auto digests = data_of(world.as_operator("GET", "/operator/digests"));
  REQUIRE(digests.size() == 4);
  CHECK(digests[0].as_object().at("projections").as_object().contains("gateway"));
}

TEST_CASE("status tells of owners, of processes that report, and of hosts") {
  GatewayOptions options;
  options.instance = "gateway-here";
  options.hosts = [] {
    HostStatus host;
    host.address = "10.0.0.1:7081";
    host.slots = 4;
    host.busy = 1;
    return std::vector<HostStatus>{host};
  };
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  const auto home = world.runtime.home(tenant.org);
  world.append(OrgId(), EffectParked{"settle/exe_1", "it broke"}, DeciderRole::billing, home);
  world.log.report("billing-there", home, {0});
  const json::value document = world.as_operator("GET", "/operator/status").json();
  const json::object& status = document.as_object();
  CHECK(json::text_at(status, "process") == "gateway-here");
  const auto& host = status.at("hosts").as_array().at(0).as_object();
  CHECK(host.at("slots").as_int64() == 4);
  CHECK(json::text_at(host, "address") == "10.0.0.1:7081");
  const auto& process = status.at("processes").as_array().at(0).as_object();
  CHECK(json::text_at(process, "process") == "billing-there");
  CHECK(process.at("lag").as_int64() == world.log.marks(home)->high.value);
  for (const json::value& one : status.at("partitions").as_array()) {
    const json::object& partition = one.as_object();
    CHECK(partition.at("behind_ms").as_int64() == 0);
    if (json::text_at(partition, "partition") != home.text()) continue;
    const auto& owner = partition.at("owners").as_array().at(0).as_object();
    CHECK(json::text_at(owner, "role") == "billing");
    CHECK(owner.at("epoch").as_int64() == 1);
    CHECK(owner.at("effects_parked").as_int64() == 1);
  }
}

TEST_CASE("parked effects are listed and resolved") {
  World world;
  const Tenant tenant = world.tenant();
  const auto home = world.runtime.home(tenant.org);
  world.append(OrgId(), EffectParked{"settle/exe_1", "it broke"}, DeciderRole::billing, home);
  const auto parked = data_of(world.as_operator("GET", "/operator/effects"));
  REQUIRE(parked.size() == 1);
  CHECK(json::text_at(parked[0].as_object(), "role") == "billing");
  CHECK(json::text_at(parked[0].as_object(), "effect") == "settle/exe_1");
  CHECK(json::text_at(parked[0].as_object(), "error") == "it broke");
  const std::string body = R"({"topic":"events","partition":)" + std::to_string(home.partition) +
                           R"(,"role":"billing","effect":"settle/exe_1","action":"retry"})";
  const Reply resolved = world.as_operator("POST", "/operator/effects/resolve", body);
  CHECK(resolved.status == 200);
  CHECK(resolved.text("position").starts_with(home.text()));
  CHECK(data_of(world.as_operator("GET", "/operator/effects")).empty());
  CHECK(world.as_operator("POST", "/operator/effects/resolve", body).status == 404);
}

TEST_CASE("the admin listener tells of life, readiness and metrics") {
  GatewayOptions options;
  options.metrics = [] { return std::string("sandtrail_build_info 1\n"); };
  World world(std::move(options));
  const auto home = world.tenant();
  CHECK(world.as_admin("/livez").body == "ok\n");
  CHECK(world.as_admin("/readyz").status == 200);
  CHECK(world.as_admin("/metrics").body == "sandtrail_build_info 1\n");
  CHECK(world.as_admin("/nothing").status == 404);
  world.log.degrade(true);
  // For a moment that makes no difference; away_test.cc has what comes after it.
  const Reply degraded = world.as_admin("/readyz?verbose");
  CHECK(degraded.status == 200);
  CHECK(degraded.body.find("[+] fold") != std::string::npos);
  CHECK(degraded.body.find("[-] log: degraded since") != std::string::npos);
  CHECK(world.as_admin("/livez").status == 200);
}

TEST_CASE("each server has its own paths") {
  World world;
  const Tenant tenant = world.tenant();
  CHECK(world.call("GET", "/operator/organizations", tenant.api_key).status == 404);
  CHECK(world.call("GET", "/readyz", tenant.api_key).status == 404);
  CHECK(world.as_operator("GET", "/v1/executions").status == 404);
  CHECK(world.as_admin("/operator/status").status == 404);
}
