// SPDX-License-Identifier: Apache-2.0
#include "http/sse.h"

#include <doctest/doctest.h>

#include "world.h"

using namespace sandtrail;

namespace {

std::vector<http::SseEvent> parse(const std::string& text) {
  std::vector<http::SseEvent> events;
  http::SseParser parser;
  const Status fed =
      parser.feed(text, [&events](const http::SseEvent& event) { events.push_back(event); });
  REQUIRE(fed.ok());
  return events;
}

std::vector<std::string> types(const std::vector<http::SseEvent>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.push_back(event.event);
  return out;
}

}  // namespace

TEST_CASE("a stream gives the stored events, then those to come, and ends with the settlement") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id =
      id_of(world.call("POST", "/v1/executions", tenant.api_key,
                       python(R"(,"thread":"secret-thread","stdin":"secret-stdin")")));
  world.assign(tenant, id);
  const Reply reply = world.call("GET", "/v1/executions/" + id.text() + "/events", tenant.api_key);
  REQUIRE(reply.stream != nullptr);
  CHECK(reply.field("Content-Type") == "text/event-stream");
  CHECK(reply.field("Cache-Control") == "no-store");
  CHECK(reply.field("X-Accel-Buffering") == "no");
  world.until_waiting(0, 1);
  CHECK(reply.stream->text_with("execution.assigned").starts_with("retry:"));
  world.start(tenant, id);
  world.finish(tenant, id, "secret-output");
  reply.stream->text_with("execution.finished");
  CHECK(!reply.stream->finished());
  world.settle(tenant, id);
  const std::string text = reply.stream->text_when_finished();
  const auto events = parse(text);
  CHECK(types(events) == std::vector<std::string>{"execution.requested", "execution.assigned",
                                                  "execution.started", "execution.finished",
                                                  "billing.settled"});
  CHECK(text.find("secret-") == std::string::npos);
  CHECK(text.find("10.0.0.1") == std::string::npos);
  const auto data = json::parse(events[3].data);
  REQUIRE(data.ok());
  CHECK(data->as_object().at("verdict").as_string() == "ok");
  CHECK(!data->as_object().contains("payload"));
  CHECK(json::text_at(data->as_object(), "position") ==
        world.runtime.home(tenant.org).text() + "/" + events[3].id);
  world.until_waiting(0, 0);
}

TEST_CASE("a stream resumes after the last event that was seen") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  world.run_to_end(tenant, id);
  const std::string path = "/v1/executions/" + id.text() + "/events";
  const auto all = parse(world.call("GET", path, tenant.api_key).stream->text_when_finished());
  REQUIRE(all.size() == 5);
  const Reply rest = world.call("GET", path, tenant.api_key, "", {{"Last-Event-ID", all[2].id}});
  CHECK(types(parse(rest.stream->text_when_finished())) ==
        std::vector<std::string>{"execution.finished", "billing.settled"});
  const Reply nothing = world.call("GET", path, tenant.api_key, "", {{"Last-Event-ID", all[4].id}});
  CHECK(parse(nothing.stream->text_when_finished()).empty());
  for (const std::string bad : {"x", "-1", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(world.call("GET", path, tenant.api_key, "", {{"Last-Event-ID", bad}}).status == 400);
  }
}

TEST_CASE("a quiet stream gets heartbeats, and a closed one is forgotten") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  const std::string path = "/v1/executions/" + id.text() + "/events";
  const Reply kept = world.call("GET", path, tenant.api_key);
  const Reply closed = world.call("GET", path, tenant.api_key);
  world.until_waiting(0, 2);
  closed.stream->close();
  world.until_waiting(0, 1);
  const std::string before = kept.stream->text_with("execution.requested");
  world.clock.advance(seconds(15));
  world.gateway.tick();
  const std::string after = kept.stream->text_with("\n:");
  CHECK(after.size() > before.size());
  CHECK(parse(after).size() == 1);
}

TEST_CASE("an execution that is rejected ends its stream without a settlement") {
  World world;
  const Tenant tenant = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  const Reply reply = world.call("GET", "/v1/executions/" + id.text() + "/events", tenant.api_key);
  world.append(tenant.org, ExecutionRejected{id, RejectReason::unsupported, "no such language"},
               DeciderRole::launcher);
  CHECK(types(parse(reply.stream->text_when_finished())) ==
        std::vector<std::string>{"execution.requested", "execution.rejected"});
  const Reply shown = world.call("GET", "/v1/executions/" + id.text(), tenant.api_key);
  const json::value body = shown.json();
  const auto& rejection = body.as_object().at("rejection").as_object();
  CHECK(json::text_at(rejection, "reason") == "unsupported");
  CHECK(json::text_at(rejection, "detail") == "no such language");
}

TEST_CASE("another organisation's events are not there") {
  World world;
  const Tenant tenant = world.tenant();
  const Tenant other = world.tenant();
  const ExecutionId id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python()));
  for (const std::string tail : {"", "/events", "/deliveries"}) {
    CAPTURE(tail);
    CHECK(world.call("GET", "/v1/executions/" + id.text() + tail, other.api_key).status == 404);
  }
  CHECK(world.call("POST", "/v1/executions/" + id.text() + "/cancel", other.api_key).status == 404);
}
