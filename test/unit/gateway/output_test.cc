// SPDX-License-Identifier: Apache-2.0
// GET /v1/executions/{execution}/output.
#include <doctest/doctest.h>

#include "http/sse.h"
#include "world.h"

using namespace sandtrail;

namespace {

constexpr auto kOut = OutputStream::out;
constexpr auto kErr = OutputStream::err;

std::vector<http::SseEvent> parse(const std::string& text) {
  std::vector<http::SseEvent> events;
  http::SseParser parser;
  REQUIRE(parser.feed(text, [&](const http::SseEvent& event) { events.push_back(event); }).ok());
  return events;
}

// "attempt stdout stdout finished".
std::string types(const std::string& text) {
  std::string out;
  for (const auto& event : parse(text)) out += (out.empty() ? "" : " ") + event.event;
  return out;
}

json::object data_of(const http::SseEvent& event) {
  auto data = json::parse(event.data);
  REQUIRE(data.ok());
  return data->as_object();
}

// What a client makes of the events: each piece stands where its offset says.
struct Seen {
  Bytes out, err;
  bool gapless = true;

  explicit Seen(const std::vector<http::SseEvent>& events, std::size_t out_from = 0,
                std::size_t err_from = 0) {
    for (const auto& event : events) {
      if (event.event == "attempt") {
        out.clear();
        err.clear();
        out_from = err_from = 0;
      }
      const bool is_out = event.event == "stdout";
      if (!is_out && event.event != "stderr") continue;
      const auto data = data_of(event);
      Bytes& all = is_out ? out : err;
      const auto from = is_out ? out_from : err_from;
      gapless =
          gapless && data.at("offset").as_int64() == static_cast<std::int64_t>(from + all.size());
      all += data.contains("text") ? std::string(json::text_at(data, "text"))
                                   : unbase64(json::text_at(data, "base64")).value();
    }
  }
};

struct Run {
  World world;
  Tenant tenant = world.tenant();
  ExecutionId id;
  std::string path;

  explicit Run(const std::string& more = "") {
    id = id_of(world.call("POST", "/v1/executions", tenant.api_key, python(more)));
    path = "/v1/executions/" + id.text() + "/output";
  }
  Reply follow(const std::string& last = "") {
    HeaderList headers;
    if (!last.empty()) headers.emplace_back("Last-Event-ID", last);
    return world.call("GET", path, tenant.api_key, "", std::move(headers));
  }
  void tick(Millis span) {
    world.clock.advance(span);
    world.gateway.tick();
  }
};

}  // namespace

TEST_CASE("output comes live, what is missing from the result, and then the end") {
  Run run;
  const Reply reply = run.follow();
  REQUIRE(reply.stream != nullptr);
  CHECK(reply.field("Content-Type") == "text/event-stream");
  CHECK(reply.field("Cache-Control") == "no-store");
  run.world.until_waiting(0, 1);
  CHECK(run.world.live.count() == 0);
  run.world.assign(run.tenant, run.id);
  const auto host = run.world.live.followed(0);
  CHECK(host->target.execution == run.id);
  CHECK(host->target.attempt == 1);
  CHECK(host->target.address == "10.0.0.1:4000");
  CHECK(host->from == OutputOffsets{0, 0});
  run.world.start(run.tenant, run.id);
  host->give(kOut, "hel");
  CHECK(types(reply.stream->text_with("stdout")) == "attempt stdout");
  CHECK_FALSE(reply.stream->finished());
  run.world.finish(run.tenant, run.id);
  const auto text = reply.stream->text_when_finished();
  CHECK(types(text) == "attempt stdout stdout stderr finished");
  const Seen seen(parse(text));
  CHECK(seen.out == "hello\n");
  CHECK(seen.err == "warning\n");
  CHECK(seen.gapless);
  const auto last = data_of(parse(text).back());
  CHECK(json::text_at(last, "status") == "finished");
  CHECK(json::text_at(last, "verdict") == "ok");
  CHECK(last.at("exit_code").as_int64() == 0);
  run.world.live.until_dropped(0);
  run.world.until_waiting(0, 0);
  CHECK(run.world.live.count() == 1);
}

TEST_CASE("of an execution that is over it comes from the log") {
  Run run;
  run.world.run_to_end(run.tenant, run.id, "out");
  const auto text = run.follow().stream->text_when_finished();
  CHECK(types(text) == "attempt stdout stderr finished");
  CHECK(Seen(parse(text)).out == "out");
  CHECK(run.world.live.count() == 0);
  run.world.until_waiting(0, 0);
}

TEST_CASE("a stream resumes behind any of its events") {
  Run run;
  const Bytes out = Bytes(40'000, 'a') + "\xC3\xA9\xff" + Bytes(40'000, 'b');
  run.world.run_to_end(run.tenant, run.id, out);
  const auto all = parse(run.follow().stream->text_when_finished());
  REQUIRE(all.size() > 5);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    CAPTURE(all[i].id);
    const auto rest = parse(run.follow(all[i].id).stream->text_when_finished());
    REQUIRE(rest.size() == all.size() - i - 1);
    CHECK(rest.front().event == all[i + 1].event);
    CHECK(rest.front().data == all[i + 1].data);
    CHECK(rest.back().id == all.back().id);
  }
  CHECK(types(run.follow(all.back().id).stream->text_when_finished()) == "finished");
  for (const std::string bad : {"x", "1", "1-2", "-1-0-0", "1-0-99999999"}) {
    CAPTURE(bad);
    CHECK(run.follow(bad).status == 400);
  }
}

TEST_CASE("a reader that resumes is followed from where it was") {
  Run run;
  run.world.assign(run.tenant, run.id);
  const Reply reply = run.follow("1-3-2");
  const auto host = run.world.live.followed(0);
  CHECK(host->from == OutputOffsets{3, 2});
  host->give(kOut, "lo");
  reply.stream->text_with("stdout");
  run.world.finish(run.tenant, run.id);
  const auto events = parse(reply.stream->text_when_finished());
  CHECK(events.front().event == "stdout");
  const Seen seen(events, 3, 2);
  CHECK(seen.out == "lo\n");
  CHECK(seen.err == "rning\n");
  CHECK(seen.gapless);
}

TEST_CASE("characters that arrive in parts are text, bytes that are none are base64") {
  Run run;
  run.world.assign(run.tenant, run.id);
  const Reply reply = run.follow();
  const auto host = run.world.live.followed(0);
  host->give(kOut, "a\xE2\x82");
  host->give(kOut, "\xAC");
  host->give(kErr, "\xff\xfe");
  const auto text = reply.stream->text_with("base64");
  CHECK(text.find("\"text\":\"a\"") != std::string::npos);
  CHECK(text.find("\"text\":\"\xE2\x82\xAC\"") != std::string::npos);
  CHECK(text.find("\"base64\":\"//4=\"") != std::string::npos);
}

TEST_CASE("a new attempt starts at offset 0, and says so") {
  Run run(R"(,"max_attempts":2)");
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  run.world.start(run.tenant, run.id);
  const auto first = run.world.live.followed(0);
  first->give(kOut, "first \xC3");
  reply.stream->text_with("first");
  run.world.append(run.tenant.org, ExecutionAttemptLost{run.id, 1, true, "host_gone"},
                   DeciderRole::launcher);
  run.world.live.until_dropped(0);
  run.world.assign(run.tenant, run.id, 2);
  const auto second = run.world.live.followed(1);
  CHECK(second->target.attempt == 2);
  CHECK(second->from == OutputOffsets{0, 0});
  first->give(kOut, "late");  // of the past
  second->give(kOut, "again");
  reply.stream->text_with("again");
  run.world.start(run.tenant, run.id, 2);
  run.world.finish(run.tenant, run.id, "again\n", 2);
  const auto text = reply.stream->text_when_finished();
  // What was held back of the first one comes before the second begins.
  CHECK(types(text) == "attempt stdout stdout attempt stdout stdout stderr finished");
  CHECK(text.find("late") == std::string::npos);
  const Seen seen(parse(text));
  CHECK(seen.out == "again\n");
  CHECK(seen.gapless);
  CHECK(types(run.follow("1-2-0").stream->text_when_finished()) ==
        "attempt stdout stderr finished");
}

TEST_CASE("a host that is away is told once, tried again, and made up for by the result") {
  Run run;
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  run.world.start(run.tenant, run.id);
  run.world.live.followed(0)->give(kOut, "he");
  run.world.live.followed(0)->sink.on_end(OutputEnd::broken);
  CHECK(types(reply.stream->text_with("gap")) == "attempt stdout gap");
  run.tick(seconds(1));
  const auto again = run.world.live.followed(1);
  CHECK(again->from == OutputOffsets{2, 0});
  again->sink.on_end(OutputEnd::broken);
  run.tick(seconds(1));
  CHECK(run.world.live.count() == 2);  // the second wait is longer
  run.tick(seconds(1));
  run.world.live.followed(2)->give(kOut, "l");
  reply.stream->text_with("\"l\"");
  run.world.live.followed(2)->sink.on_end(OutputEnd::overloaded);
  reply.stream->text_with("overloaded");
  run.world.finish(run.tenant, run.id);
  const auto text = reply.stream->text_when_finished();
  CHECK(types(text) == "attempt stdout gap stdout gap stdout stderr finished");
  CHECK(text.find("host_unreachable") != std::string::npos);
  CHECK(Seen(parse(text)).out == "hello\n");
  run.tick(minutes(1));
  CHECK(run.world.live.count() == 3);
}

TEST_CASE("a host that does not know the attempt yet is asked again when it has started") {
  Run run;
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  run.world.live.followed(0)->sink.on_end(OutputEnd::unknown);
  run.world.start(run.tenant, run.id);
  const auto started = run.world.live.followed(1);
  started->sink.on_end(OutputEnd::unknown);  // it has just ended, most likely
  run.tick(seconds(1));
  run.world.live.followed(2)->sink.on_end(OutputEnd::unknown);
  CHECK(types(reply.stream->text_with("gap")) == "attempt gap");
  CHECK(reply.stream->text_with("unavailable").find("host_unreachable") == std::string::npos);
}

TEST_CASE("what is told before the host answered is not lost on it") {
  Run run;
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  const auto first = run.world.live.followed(0);
  run.world.start(run.tenant, run.id);
  CHECK(run.world.live.count() == 1);
  first->sink.on_end(OutputEnd::unknown);
  run.world.live.followed(1)->give(kOut, "x");
  reply.stream->text_with("stdout");
}

TEST_CASE("an attempt whose host says that it is over is not asked for again") {
  Run run;
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  run.world.live.followed(0)->give(kOut, "hello\n");
  run.world.live.followed(0)->sink.on_cut(kOut, OutputCut::cap);
  run.world.live.followed(0)->sink.on_end(OutputEnd::over);
  run.world.start(run.tenant, run.id);
  run.tick(minutes(1));
  CHECK(run.world.live.count() == 1);
  run.world.finish(run.tenant, run.id);
  CHECK(types(reply.stream->text_when_finished()) == "attempt stdout truncated stderr finished");
}

TEST_CASE("a host without room is a gap, and no more is shown than the result keeps") {
  Run run(R"(,"limits":{"output_bytes":4})");
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  const auto host = run.world.live.followed(0);
  host->give(kOut, "abcdef");
  host->give(kOut, "gh");
  host->sink.on_cut(kErr, OutputCut::memory);
  const auto text = reply.stream->text_with("memory");
  CHECK(types(text) == "attempt stdout gap");
  CHECK(Seen(parse(text)).out == "abcd");
}

TEST_CASE("executions that never ran end their stream") {
  for (const bool cancelled : {false, true}) {
    CAPTURE(cancelled);
    Run run;
    const Reply reply = run.follow();
    if (cancelled) {
      CHECK(
          run.world.call("POST", "/v1/executions/" + run.id.text() + "/cancel", run.tenant.api_key)
              .status == 202);
      run.world.append(run.tenant.org, ExecutionCancelled{run.id}, DeciderRole::launcher);
    } else {
      run.world.append(run.tenant.org, ExecutionRejected{run.id, RejectReason::unsupported, "x"},
                       DeciderRole::launcher);
    }
    const auto events = parse(reply.stream->text_when_finished());
    REQUIRE(events.size() == 1);
    CHECK(json::text_at(data_of(events[0]), "status") == (cancelled ? "cancelled" : "rejected"));
  }
}

TEST_CASE("a lost execution keeps what was seen of it") {
  Run run;
  const Reply reply = run.follow();
  run.world.assign(run.tenant, run.id);
  run.world.live.followed(0)->give(kOut, "so far");
  reply.stream->text_with("so far");
  run.world.append(run.tenant.org, ExecutionLost{run.id, 1, "host_gone"}, DeciderRole::launcher);
  const auto text = reply.stream->text_when_finished();
  CHECK(types(text) == "attempt stdout finished");
  CHECK(json::text_at(data_of(parse(text).back()), "reason") == "host_gone");
}

TEST_CASE("of an erased execution there is the end alone") {
  Run run;
  run.world.run_to_end(run.tenant, run.id, "secret-output");
  run.world.clock.advance(days(8));
  run.world.append(run.tenant.org, ExecutionErased{run.id}, DeciderRole::retention);
  const auto text = run.follow().stream->text_when_finished();
  CHECK(types(text) == "attempt finished");
  CHECK(data_of(parse(text).back()).at("erased").as_bool());
  CHECK(text.find("secret") == std::string::npos);
}

TEST_CASE("a revoked key cuts the stream") {
  Run run;
  const Reply other = run.world.call("POST", "/v1/api-keys", run.tenant.api_key,
                                     R"({"name":"other","role":"viewer"})");
  REQUIRE(other.status == 201);
  run.world.assign(run.tenant, run.id);
  const Reply reply = run.world.call("GET", run.path, other.text("api_key"));
  const auto host = run.world.live.followed(0);
  host->give(kOut, "before");
  reply.stream->text_with("before");
  CHECK(run.world.call("DELETE", "/v1/api-keys/" + other.text("id"), run.tenant.api_key).status ==
        204);
  run.world.live.until_dropped(0);
  run.world.until_waiting(0, 0);
  host->give(kOut, "after");
  run.world.finish(run.tenant, run.id);
  run.world.until_waiting(0, 0);
  CHECK_FALSE(reply.stream->finished());
  CHECK(reply.stream->text_with("before").find("after") == std::string::npos);
}

TEST_CASE("a reader that goes away is not followed any more, a quiet one gets heartbeats") {
  Run run;
  run.world.assign(run.tenant, run.id);
  const Reply gone = run.follow();
  const Reply kept = run.follow();
  run.world.live.followed(1);
  run.world.until_waiting(0, 2);
  gone.stream->close();
  run.world.until_waiting(0, 1);
  run.world.live.until_dropped(0);
  run.tick(seconds(15));
  CHECK(parse(kept.stream->text_with("\n:")).size() == 1);
}

TEST_CASE("the end of the server cuts streams without an end") {
  Run run;
  run.world.assign(run.tenant, run.id);
  const Reply reply = run.follow();
  run.world.live.followed(0);
  run.world.gateway.end_waiting();
  run.world.live.until_dropped(0);
  CHECK_FALSE(reply.stream->finished());
  CHECK(run.follow().status == 503);
}

TEST_CASE("output of another organisation is not there") {
  Run run;
  const Tenant other = run.world.tenant();
  CHECK(run.world.call("GET", run.path, other.api_key).status == 404);
  CHECK(run.world.call("GET", "/v1/executions/exe_x/output", run.tenant.api_key).status == 404);
  CHECK(run.world.call("POST", run.path, run.tenant.api_key).status == 405);
}
