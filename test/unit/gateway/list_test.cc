// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "world.h"

using namespace sandtrail;

namespace {

struct Listed {
  std::vector<std::string> ids;
  std::string next;
  bool more = false;
};

Listed list(World& world, const Tenant& tenant, const std::string& target) {
  const Reply reply = world.call("GET", target, tenant.api_key);
  REQUIRE(reply.status == 200);
  const json::value body = reply.json();
  Listed out;
  for (const auto& item : body.as_object().at("data").as_array()) {
    out.ids.emplace_back(json::text_at(item.as_object(), "id"));
  }
  out.more = body.as_object().at("has_more").as_bool();
  out.next = reply.text("next_cursor");
  CHECK(out.more == !out.next.empty());
  CHECK(out.more == !reply.field("Link").empty());
  return out;
}

}  // namespace

TEST_CASE("pages go from the newest to the oldest without gap or repeat") {
  World world;
  const Tenant tenant = world.tenant();
  const Tenant other = world.tenant();
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) {
    made.push_back(world.call("POST", "/v1/executions", tenant.api_key, python()).text("id"));
    world.call("POST", "/v1/executions", other.api_key, python());
  }
  const std::vector<std::string> newest_first(made.rbegin(), made.rend());
  std::vector<std::string> seen;
  std::string target = "/v1/executions?limit=2";
  for (int page = 0; page < 3; ++page) {
    const Listed listed = list(world, tenant, target);
    CHECK(listed.more == (page < 2));
    seen.insert(seen.end(), listed.ids.begin(), listed.ids.end());
    target = "/v1/executions?limit=2&cursor=" + listed.next;
    // What is added meanwhile does not disturb the pages that follow.
    if (page == 0) world.call("POST", "/v1/executions", tenant.api_key, python());
  }
  CHECK(seen == newest_first);
  const Reply first = world.call("GET", "/v1/executions?limit=1&status=requested", tenant.api_key);
  CHECK(first.field("Link") == "</v1/executions?limit=1&status=requested&cursor=" +
                                   first.text("next_cursor") + ">; rel=\"next\"");
  for (const std::string bad : {"limit=0", "limit=101", "limit=x", "cursor=!", "cursor=AAAA",
                                "status=sleeping", "verdict=guilty"}) {
    CAPTURE(bad);
    CHECK(world.call("GET", "/v1/executions?" + bad, tenant.api_key).code() == "invalid_parameter");
  }
}

TEST_CASE("executions are found by status, verdict, thread and metadata") {
  World world;
  const Tenant tenant = world.tenant();
  const auto make = [&](const std::string& more) {
    return world.call("POST", "/v1/executions", tenant.api_key, python(more)).text("id");
  };
  const std::string a = make(R"(,"thread":"t","metadata":{"k":"1","m":"x y"})");
  const std::string b = make(R"(,"thread":"t","metadata":{"k":"2"})");
  const std::string c = make(R"(,"thread":"u","metadata":{"k":"1"})");
  world.run_to_end(tenant, ExecutionId::parse(c).value());
  using Ids = std::vector<std::string>;
  const struct {
    std::string query;
    Ids ids;
  } rows[] = {{"", {c, b, a}},
              {"thread=t", {b, a}},
              {"thread=v", {}},
              {"metadata[k]=1", {c, a}},
              {"metadata%5Bk%5D=2", {b}},
              {"metadata[k]=1&metadata[m]=x%20y", {a}},
              {"thread=t&metadata[k]=1", {a}},
              {"status=finished", {c}},
              {"status=requested", {b, a}},
              {"verdict=ok", {c}},
              {"verdict=timeout", {}},
              {"metadata[k]=1&status=requested", {a}}};
  for (const auto& row : rows) {
    CAPTURE(row.query);
    CHECK(list(world, tenant, "/v1/executions?" + row.query).ids == row.ids);
  }
  const Listed page = list(world, tenant, "/v1/executions?thread=t&limit=1");
  CHECK(page.ids == Ids{b});
  CHECK(list(world, tenant, "/v1/executions?thread=t&limit=1&cursor=" + page.next).ids == Ids{a});
  // In a list there is no output.
  const Reply reply = world.call("GET", "/v1/executions?status=finished", tenant.api_key);
  CHECK(reply.body.find("stdout\"") == std::string::npos);
  CHECK(reply.body.find("\"verdict\":\"ok\"") != std::string::npos);
}

TEST_CASE("a page opens a bounded number of bytes, and goes on") {
  World world;
  const Tenant tenant = world.tenant("1000");
  const std::string large =
      python(R"(,"stdin":")" + std::string(250'000, 'x') + R"(","files":[{"path":"a","content":")" +
             std::string(500'000, 'y') + "\"}]");
  for (int i = 0; i < 6; ++i) {
    REQUIRE(world.call("POST", "/v1/executions", tenant.api_key, large).status == 202);
  }
  const Listed first = list(world, tenant, "/v1/executions");
  CHECK(first.more);
  CHECK(first.ids.size() < 6);
  const Listed second = list(world, tenant, "/v1/executions?cursor=" + first.next);
  CHECK(first.ids.size() + second.ids.size() == 6);
}

TEST_CASE("an erased execution shows its facts and nothing that was sent or produced") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply made = world.call("POST", "/v1/executions", tenant.api_key,
                                python(R"(,"thread":"t","metadata":{"k":"1"},"retention":"1h")"));
  const ExecutionId id = id_of(made);
  world.run_to_end(tenant, id);
  world.clock.advance(hours(2));
  world.append(tenant.org, ExecutionErased{id}, DeciderRole::retention);
  const std::string path = "/v1/executions/" + id.text();
  const Reply shown = world.call("GET", path, tenant.api_key);
  REQUIRE(shown.status == 200);
  const json::value body = shown.json();
  CHECK(body.as_object().at("erased").as_bool());
  for (const char* gone : {"stdout", "stderr", "metadata", "thread"}) {
    CAPTURE(gone);
    CHECK(!body.as_object().contains(gone));
  }
  CHECK(shown.text("verdict") == "ok");
  CHECK(body.as_object().at("stdout_bytes").as_int64() == 6);
  CHECK(shown.text("expires_at") < rfc3339(world.clock.now()));
  CHECK(list(world, tenant, "/v1/executions?thread=t").ids.empty());
  CHECK(list(world, tenant, "/v1/executions?metadata[k]=1").ids.empty());
  CHECK(list(world, tenant, "/v1/executions").ids == std::vector<std::string>{id.text()});
}

TEST_CASE("an execution whose key is destroyed is erased, whatever is folded") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  world.run_to_end(tenant, id);
  const auto key = world.look<DataKeyId>(
      world.runtime.home(tenant.org),
      [&id](const CoreState& state) { return state.executions.find(id)->key; });
  world.keyring.destroy(key, [](const Status&) {});
  const Reply shown = world.call("GET", "/v1/executions/" + id.text(), tenant.api_key);
  CHECK(shown.status == 200);
  CHECK(shown.json().as_object().at("erased").as_bool());
  CHECK(!shown.json().as_object().contains("stdout"));
}
