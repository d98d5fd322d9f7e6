// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

struct Row {
  std::vector<std::string> arguments;
  std::string method;
  std::string target;
  std::string body;    // of the request
  std::string answer;  // of the server
  std::string out;     // what standard output holds
};

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.target);
    Harness h;
    h.answer(row.answer.empty() ? 204 : 200, row.answer);
    CHECK(h.run(row.arguments) == 0);
    CAPTURE(h.err);
    REQUIRE(h.requests().size() == 1);
    CHECK(h.last_request().method == row.method);
    CHECK(h.last_request().url.target == row.target);
    CHECK(h.last_request().body == row.body);
    CAPTURE(h.out);
    CHECK(has(h.out, row.out));
  }
}

std::string page(const std::string& item) {
  return R"({"data":[)" + item + R"(],"next_cursor":null,"has_more":false})";
}

TEST_CASE("verbs about executions ask for the right thing and show it") {
  check_rows({
      {{"executions", "ls", "--status", "finished", "--thread", "a b", "-m", "k=v", "-n", "5"},
       "GET",
       "/v1/executions?status=finished&thread=a%20b&metadata%5bk%5d=v&limit=5",
       "",
       page(R"({"id":"exe_1","status":"finished","verdict":"ok","usage":{"wall_us":1500000}})"),
       "exe_1  finished  ok"},
      {{"executions", "get", "exe_1"},
       "GET",
       "/v1/executions/exe_1",
       "",
       R"({"id":"exe_1","status":"finished","usage":{"wall_us":1500000},"controls":["a","b"]})",
       "wall               1.50 s\n"},
      {{"executions", "get", "exe_1", "--output"},
       "GET",
       "/v1/executions/exe_1",
       "",
       R"({"id":"exe_1","status":"finished","stdout":"hello"})",
       "hello"},
      {{"executions", "cancel", "exe_1"},
       "POST",
       "/v1/executions/exe_1/cancel",
       "",
       R"({"id":"exe_1","status":"started"})",
       "status  started\n"},
  });
}

TEST_CASE("verbs about webhooks ask for the right thing and show it") {
  check_rows({
      {{"webhooks", "ls"},
       "GET",
       "/v1/webhook-endpoints?limit=20",
       "",
       page(R"({"id":"whe_1","enabled":true,"url":"https://e","events":["execution.*"]})"),
       "whe_1  true     https://e  execution.*"},
      {{"webhooks", "add", "https://e", "--event", "execution.finished"},
       "POST",
       "/v1/webhook-endpoints",
       R"({"url":"https://e","events":["execution.finished"]})",
       R"({"id":"whe_1","url":"https://e","secret":"whsec_x"})",
       "secret  whsec_x\n"},
      {{"webhooks", "rm", "whe_1"}, "DELETE", "/v1/webhook-endpoints/whe_1", "", "", ""},
      {{"webhooks", "deliveries", "whe_1"},
       "GET",
       "/v1/webhook-endpoints/whe_1/deliveries?limit=20",
       "",
       page(R"({"id":"whd_1","status":"delivered","attempt_count":2})"),
       "whd_1  delivered"},
      {{"webhooks", "deliveries", "exe_1"},
       "GET",
       "/v1/executions/exe_1/deliveries?limit=20",
       "",
       page(R"({"id":"whd_1","status":"delivered"})"),
       "whd_1"},
      {{"webhooks", "deliveries", "whd_1"},
       "GET",
       "/v1/deliveries/whd_1",
       "",
       R"({"id":"whd_1","status":"delivered",)"
       R"("attempts":[{"number":1,"status":500,"total_us":900}]})",
       "1              500            0.9 ms"},
  });
}

TEST_CASE("verbs about keys, credits and audit ask for the right thing and show it") {
  check_rows({
      {{"keys", "ls"},
       "GET",
       "/v1/api-keys?limit=20",
       "",
       page(R"({"id":"key_1","name":"ci","role":"member","hint":"wxyz"})"),
       "key_1  ci    member  wxyz"},
      {{"keys", "create", "ci", "--role", "viewer"},
       "POST",
       "/v1/api-keys",
       R"({"name":"ci","role":"viewer"})",
       R"({"id":"key_1","role":"viewer","api_key":"st_new"})",
       "st_new\n"},
      {{"keys", "revoke", "key_1"}, "DELETE", "/v1/api-keys/key_1", "", "", ""},
      {{"credits", "balance"},
       "GET",
       "/v1/billing/balance",
       "",
       R"({"available_microcredits":99996900,"held_microcredits":-1,"position":"events/0/7"})",
       "available  "},
      {{"credits", "ledger", "-n", "1"},
       "GET",
       "/v1/billing/ledger?limit=1",
       "",
       page(R"({"kind":"hold","postings":[{"account":"available","amount_microcredits":-1500000},)"
            R"({"account":"held","amount_microcredits":1500000}]})"),
       "available -1.5, held +1.5"},
      {{"audit", "ls", "--outcome", "denied", "--since", "2026-01-01T00:00:00Z"},
       "GET",
       "/v1/audit/entries?outcome=denied&since=2026-01-01T00%3a00%3a00Z&limit=20",
       "",
       page(R"({"index":3,"action":"execution.create","actor":{"name":"ci"}})"),
       "execution.create"},
      {{"audit", "checkpoint"},
       "GET",
       "/v1/audit/checkpoint",
       "",
       "origin\n5\nroot\n\n\xE2\x80\x94 origin sig\n",
       "origin\n5\nroot\n\n\xE2\x80\x94 origin sig\n"},
  });
}

TEST_CASE("verbs of an operator ask for the right thing and show it") {
  check_rows({
      {{"org", "create", "acme", "--credits", "12.5"},
       "POST",
       "/operator/organizations",
       R"({"name":"acme","grant_credits":"12.5"})",
       R"({"organization":{"id":"org_1","name":"acme"},"api_key":"st_1","callback_secret":"s"})",
       "api key          st_1\n"},
      {{"org", "ls"},
       "GET",
       "/operator/organizations?limit=20",
       "",
       page(R"({"id":"org_1","name":"acme","available_microcredits":1500000})"),
       "org_1  acme  1.5"},
      {{"org", "grant", "org_1", "10", "--reason", "invoice 7"},
       "POST",
       "/operator/organizations/org_1/grants",
       R"({"amount_credits":"10","reason":"invoice 7"})",
       R"({"id":"org_1","available_microcredits":10000000})",
       "available        10\n"},
      {{"org", "limits", "org_1", "--running", "3"},
       "POST",
       "/operator/organizations/org_1/limits",
       R"({"running_max":3})",
       R"({"id":"org_1","limits":{"running_max":3}})",
       "running at most  3\n"},
      {{"status"},
       "GET",
       "/operator/status",
       "",
       R"({"ready":true,"log":{"identity":"abc","health":"ok"},"partitions":[{"partition":)"
       R"("events/0","next":9,"lag":0,"owners":[{"role":"billing","epoch":2,"process":"dev-a",)"
       R"("since":"2026-01-01T00:00:00.000Z","effects_parked":3}]}]})",
       "billing  dev-a    events/0    2      2026-01-01T00:00:00.000Z  3"},
      {{"effects", "ls"},
       "GET",
       "/operator/effects",
       "",
       R"({"data":[{"topic":"events","partition":2,"role":"webhooks","effect":"e1"}]})",
       "events  2          webhooks  e1"},
      {{"effects", "skip", "events/2", "webhooks", "e1"},
       "POST",
       "/operator/effects/resolve",
       R"({"topic":"events","partition":2,"role":"webhooks","effect":"e1","action":"skip"})",
       R"({"position":"events/2/40"})",
       "events/2/40"},
      {{"effects", "retry", "platform/0", "billing", "e1"},
       "POST",
       "/operator/effects/resolve",
       R"({"topic":"platform","partition":0,"role":"billing","effect":"e1","action":"retry"})",
       R"({"position":"platform/0/4"})",
       "platform/0/4"},
  });
}

TEST_CASE("what may not be repeated is sent once") {
  for (const auto& arguments : {std::vector<std::string>{"org", "create", "acme"},
                                {"effects", "skip", "events/2", "webhooks", "e1"}}) {
    Harness h;
    h.fail(ErrorCode::unavailable, "broken");
    CHECK(h.run(arguments) == 3);
    CHECK(h.requests().size() == 1);
    CHECK_FALSE(h.last_request().fields.has("Idempotency-Key"));
  }
}

TEST_CASE("a long list is fetched in pages, up to the limit") {
  Harness h;
  h.answer(200, R"({"data":[{"id":"key_1"},{"id":"key_2"}],"next_cursor":"a+b"})");
  h.answer(200, R"({"data":[{"id":"key_3"}],"next_cursor":null})");
  CHECK(h.run({"keys", "ls", "-n", "150", "--json"}) == 0);
  CHECK(h.out == R"([{"id":"key_1"},{"id":"key_2"},{"id":"key_3"}])"
                 "\n");
  CHECK(h.requests()[0].url.target == "/v1/api-keys?limit=100");
  CHECK(h.requests()[1].url.target == "/v1/api-keys?limit=100&cursor=a%2bb");
}

TEST_CASE("a server that repeats a cursor does not hold us") {
  Harness h;
  h.answer(200, R"({"data":[{"id":"key_1"}],"next_cursor":"a"})");
  h.answer(200, R"({"data":[{"id":"key_2"}],"next_cursor":"a"})");
  CHECK(h.run({"keys", "ls", "-n", "100"}) == 0);
  CHECK(h.requests().size() == 2);
}

TEST_CASE("text of others cannot move the cursor of a terminal") {
  Harness h;
  h.answer(200, page(R"({"id":"key_1","name":"\u001b[2Jx\nkey_9"})"));
  CHECK(h.run({"keys", "ls"}) == 0);
  CHECK_FALSE(has(h.out, "\x1b"));
  CHECK(std::count(h.out.begin(), h.out.end(), '\n') == 2);
}

TEST_CASE("no items are said on standard error") {
  Harness h;
  h.answer(200, page(""));
  CHECK(h.run({"keys", "ls"}) == 0);
  CHECK(h.out == "");
  CHECK(h.err == "none\n");
}

}  // namespace
}  // namespace sandtrail
