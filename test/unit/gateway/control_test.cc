// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "domain/ledger.h"
#include "world.h"

using namespace sandtrail;

namespace {

const json::array data_of(const Reply& reply) {
  REQUIRE(reply.status == 200);
  return reply.json().as_object().at("data").as_array();
}

}  // namespace

TEST_CASE("an API key is shown once and only its digest is kept") {
  World world;
  const Tenant tenant = world.tenant();
  const HeaderList once{{"Idempotency-Key", "k"}};
  world.clock.advance(Millis{1});  // so that it is the newer one by its id
  const Reply made = world.call("POST", "/v1/api-keys", tenant.api_key, R"({"name":"ci"})", once);
  REQUIRE(made.status == 201);
  const std::string text = made.text("api_key");
  CHECK(text.starts_with("st_" + tenant.org.text().substr(4) + "_"));
  CHECK(made.text("role") == "member");
  CHECK(made.text("hint") == text.substr(text.size() - 4));
  CHECK(made.field("Location") == "/v1/api-keys/" + made.text("id"));
  const Reply repeat = world.call("POST", "/v1/api-keys", tenant.api_key, R"({"name":"ci"})", once);
  CHECK(repeat.status == 201);
  CHECK(repeat.text("id") == made.text("id"));
  CHECK(repeat.text("api_key").empty());

  CHECK(data_of(world.call("GET", "/v1/api-keys", tenant.api_key)).size() == 2);
  const Reply page = world.call("GET", "/v1/api-keys?limit=1", tenant.api_key);
  CHECK(json::text_at(data_of(page)[0].as_object(), "id") == made.text("id"));
  const auto rest = data_of(
      world.call("GET", "/v1/api-keys?limit=1&cursor=" + page.text("next_cursor"), tenant.api_key));
  CHECK(json::text_at(rest[0].as_object(), "name") == "first key");
  CHECK(world.call("GET", "/v1/api-keys?cursor=x", tenant.api_key).status == 400);
  CHECK(world.call("DELETE", "/v1/api-keys/" + made.text("id"), tenant.api_key).status == 204);
  CHECK(data_of(world.call("GET", "/v1/api-keys", tenant.api_key)).size() == 1);
  const Tenant other = world.tenant();
  CHECK(world.call("DELETE", "/v1/api-keys/" + made.text("id"), other.api_key).status == 404);
}

TEST_CASE("wrong keys and endpoints are refused by pointer") {
  World world;
  const Tenant tenant = world.tenant();
  const struct {
    std::string path;
    std::string body;
    std::string pointer;
  } rows[] = {
      {"/v1/api-keys", "{}", "/name"},
      {"/v1/api-keys", R"({"name":""})", "/name"},
      {"/v1/api-keys", R"({"name":"a\nb"})", "/name"},
      {"/v1/api-keys", R"({"name":")" + std::string(129, 'n') + "\"}", "/name"},
      {"/v1/api-keys", R"({"name":"a","role":"root"})", "/role"},
      {"/v1/api-keys", R"({"name":"a","expires_at":"2001-01-01T00:00:00Z"})", "/expires_at"},
      {"/v1/webhook-endpoints", "{}", "/url"},
      {"/v1/webhook-endpoints", R"({"url":"https://127.0.0.1/"})", "/url"},
      {"/v1/webhook-endpoints", R"({"url":"https://e.org/","events":["execution.born"]})",
       "/events/0"},
      {"/v1/webhook-endpoints", R"({"url":"https://e.org/)" + std::string(2048, 'p') + "\"}",
       "/url"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const Reply reply = world.call("POST", row.path, tenant.api_key, row.body);
    CHECK(reply.status == 422);
    CHECK(reply.pointers() == std::vector<std::string>{row.pointer});
  }
}

TEST_CASE("past the limit of keys the answer is a conflict with a limit") {
  World world;
  const Tenant tenant = world.tenant();
  for (std::size_t i = 1; i < limits::kEndpointsPerOrgMax + 1; ++i) {
    REQUIRE(
        world.call("POST", "/v1/webhook-endpoints", tenant.api_key, R"({"url":"https://e.org/"})")
            .status == 201);
  }
  const Reply over =
      world.call("POST", "/v1/webhook-endpoints", tenant.api_key, R"({"url":"https://e.org/"})");
  CHECK(over.status == 409);
  CHECK(over.code() == "limit_reached");
}

TEST_CASE("an endpoint shows its secret once and is deleted for good") {
  World world;
  const Tenant tenant = world.tenant();
  const HeaderList once{{"Idempotency-Key", "k"}};
  const std::string body = R"({"url":"https://e.org/hook","events":["execution.finished"]})";
  const Reply made = world.call("POST", "/v1/webhook-endpoints", tenant.api_key, body, once);
  REQUIRE(made.status == 201);
  const std::string secret = made.text("secret");
  REQUIRE(secret.starts_with("whsec_"));
  CHECK(unbase64(secret.substr(6)).value().size() == 32);
  const std::string path = made.field("Location");
  const EndpointId id = EndpointId::parse(made.text("id")).value();
  CHECK(world.call("POST", "/v1/webhook-endpoints", tenant.api_key, body, once)
            .text("secret")
            .empty());
  // The webhooks role opens it like this.
  const auto sealed = world.look<SealedPayload>(
      world.runtime.home(tenant.org),
      [&id](const CoreState& state) { return state.endpoints.find(id)->secret; });
  CHECK(world.payloads.open({"webhook_secret", id.text()}, sealed).value() == secret);

  const Reply shown = world.call("GET", path, tenant.api_key);
  CHECK(shown.text("url") == "https://e.org/hook");
  CHECK(shown.text("secret").empty());
  world.append(tenant.org, WebhookEndpointDisabled{id, "gone"}, DeciderRole::webhooks);
  CHECK(world.call("GET", path, tenant.api_key).text("disabled_reason") == "gone");
  CHECK(data_of(world.call("GET", "/v1/webhook-endpoints", tenant.api_key)).size() == 1);
  const Tenant other = world.tenant();
  CHECK(world.call("GET", path, other.api_key).status == 404);
  CHECK(world.call("DELETE", path, other.api_key).status == 404);
  const Reply deleted = world.call("DELETE", path, tenant.api_key);
  CHECK(deleted.status == 204);
  CHECK(!deleted.field("Sandtrail-Position").empty());
  CHECK(world.call("GET", path, tenant.api_key).status == 404);
  CHECK(world.call("DELETE", path, tenant.api_key).status == 404);
}

TEST_CASE("deliveries are listed by endpoint and by execution, with every attempt") {
  GatewayOptions options;
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  const Reply endpoint =
      world.call("POST", "/v1/webhook-endpoints", tenant.api_key, R"({"url":"https://e.org/"})");
  const EndpointId endpoint_id = EndpointId::parse(endpoint.text("id")).value();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key,
                                          python(R"(,"callback_url":"https://e.org/back")")));
  world.run_to_end(tenant, id);
  const auto first = DeliveryId::derived("delivery-1 delivery-1");
  const auto second = DeliveryId::derived("delivery-2 delivery-2");
  const auto webhooks = DeciderRole::webhooks;
  world.append(tenant.org, WebhookScheduled{first, id, endpoint_id, "execution.finished"},
               webhooks);
  world.append(tenant.org, WebhookScheduled{second, id, std::nullopt, "execution.finished"},
               webhooks);
  const AttemptFacts failed{1, 500, "", 10, 20, 30, 60};
  const AttemptFacts fine{2, 204, "", 0, 0, 30, 31};
  world.append(tenant.org, WebhookAttempted{first, failed, world.clock.now() + seconds(5)},
               webhooks);
  world.append(tenant.org, WebhookDelivered{first, fine}, webhooks);
  const AttemptFacts refused{1, 0, "denied", 1, 0, 0, 1};
  world.append(tenant.org, WebhookExhausted{second, "attempts", refused}, webhooks);

  const std::string by_endpoint = "/v1/webhook-endpoints/" + endpoint.text("id") + "/deliveries";
  const auto listed = data_of(world.call("GET", by_endpoint, tenant.api_key));
  REQUIRE(listed.size() == 1);
  CHECK(json::text_at(listed[0].as_object(), "status") == "delivered");
  CHECK(!listed[0].as_object().contains("attempts"));
  const std::string by_execution = "/v1/executions/" + id.text() + "/deliveries";
  const auto all = data_of(world.call("GET", by_execution, tenant.api_key));
  REQUIRE(all.size() == 2);
  CHECK(all[0].as_object().at("callback").as_bool());
  CHECK(json::text_at(all[0].as_object(), "reason") == "attempts");
  const Reply one = world.call("GET", "/v1/deliveries/" + first.text(), tenant.api_key);
  const json::value shown = one.json();
  const auto& attempts = shown.as_object().at("attempts").as_array();
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].as_object().at("status").as_int64() == 500);
  CHECK(attempts[1].as_object().at("total_us").as_int64() == 31);

  const Tenant other = world.tenant();
  CHECK(world.call("GET", by_endpoint, other.api_key).status == 404);
  CHECK(world.call("GET", "/v1/deliveries/" + first.text(), other.api_key).status == 404);
  // What was delivered stays visible when the endpoint is gone.
  CHECK(world.call("DELETE", endpoint.field("Location"), tenant.api_key).status == 204);
  CHECK(data_of(world.call("GET", by_endpoint, tenant.api_key)).size() == 1);
}

TEST_CASE("balance and ledger say the same") {
  World world;
  const Tenant tenant = world.tenant("2.5");
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key,
                                          python(R"(,"limits":{"wall_ms":2000})")));
  world.assign(tenant, id);
  const json::value held = world.call("GET", "/v1/billing/balance", tenant.api_key).json();
  CHECK(held.as_object().at("held_microcredits").as_int64() == 1'000'000);
  CHECK(held.as_object().at("available_microcredits").as_int64() == 1'500'000);
  CHECK(held.as_object().at("available_credits").as_string() == "1.5");
  world.start(tenant, id);
  world.finish(tenant, id);
  world.settle(tenant, id);
  const json::value after = world.call("GET", "/v1/billing/balance", tenant.api_key).json();
  CHECK(after.as_object().at("available_microcredits").as_int64() == 2'125'000);
  CHECK(after.as_object().at("settled_microcredits").as_int64() == 375'000);
  CHECK(after.as_object().at("rate_card").as_object().at("version").as_int64() == 1);

  const auto entries = data_of(world.call("GET", "/v1/billing/ledger", tenant.api_key));
  REQUIRE(entries.size() == 3);
  std::map<std::string, std::int64_t> accounts;
  for (const auto& item : entries) {
    const auto entry = from_json<LedgerEntry>(item);
    REQUIRE(entry.ok());
    CHECK(entry->partition == world.runtime.home(tenant.org).partition);
    std::int64_t sum = 0;
    for (const Posting& posting : entry->postings) {
      sum += posting.amount.count;
      accounts[std::string(enum_text(posting.account))] += posting.amount.count;
    }
    CHECK(sum == 0);
  }
  CHECK(accounts["available"] == 2'125'000);
  CHECK(accounts["held"] == 0);
  CHECK(accounts["revenue"] == 375'000);
  CHECK(json::text_at(entries[0].as_object(), "kind") == "settlement");
  CHECK(data_of(world.call("GET", "/v1/billing/ledger?limit=1", tenant.api_key)).size() == 1);
}
