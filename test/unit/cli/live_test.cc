// SPDX-License-Identifier: Apache-2.0
// Output that comes while the program runs.
#include <doctest/doctest.h>

#include "harness.h"
#include "http/sse.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

Bytes event(const std::string& id, const std::string& type, const std::string& data) {
  return http::sse_text({id, type, data});
}
Bytes attempt(int number) {
  return event(std::to_string(number) + "-0-0", "attempt",
               R"({"number":)" + std::to_string(number) + "}");
}
Bytes out(const std::string& id, int offset, const std::string& text) {
  return event(id, "stdout",
               R"({"offset":)" + std::to_string(offset) + R"(,"text":")" + text + "\"}");
}
const Bytes kFinished = event("1-9-9", "finished", R"({"status":"finished","verdict":"ok"})");

const char* const kRequested = R"({"id":"exe_1","status":"requested"})";
std::string finished(const std::string& members) {
  return R"({"id":"exe_1","status":"finished","verdict":"nonzero_exit","exit_code":7,"attempt":1)" +
         members + "}";
}

TEST_CASE("output is passed on as it comes, to the stream it is of, and nothing twice") {
  Harness h;
  h.answer(202, kRequested, {{"Sandtrail-Position", "events/0/7"}});
  h.stream({attempt(1) + out("1-3-0", 0, "one"),
            event("1-3-2", "stderr", R"({"offset":0,"base64":"/wA="})") + out("1-4-2", 3, "2") +
                kFinished});
  h.answer(200, finished(R"(,"stdout":"one2three","stderr":"x","stderr_base64":"/wAB")"));
  CHECK(h.run({"run", "--", "x"}) == 7);
  CHECK(h.out == "one2three");
  CHECK(h.err == std::string("\xff\0\1", 3));
  const auto requests = h.requests();
  REQUIRE(requests.size() == 3);
  CHECK_FALSE(requests[0].fields.has("Prefer"));
  CHECK(requests[1].url.target == "/v1/executions/exe_1/output");
  CHECK(requests[1].fields.get("Accept") == "text/event-stream");
  CHECK(requests[1].fields.get("Sandtrail-Position") == "events/0/7");
  CHECK(requests[2].url.target == "/v1/executions/exe_1");
  CHECK(requests[2].fields.get("Sandtrail-Position") == "events/0/7");
  CHECK(h.paused_ms == 0);
}

TEST_CASE("a stream that breaks is resumed, and one that does not come costs nothing but that") {
  Harness h;
  http::ScriptedAnswer broken;
  broken.result = Error{ErrorCode::unavailable, "broken", ""};
  broken.pieces = {attempt(1) + out("1-3-0", 0, "one")};
  h.answer(202, kRequested);
  h.client.scripted.push(broken);
  h.answer(503, R"({"title":"Overloaded","code":"overloaded"})");
  h.answer(200, finished(R"(,"stdout":"one two")"));
  CHECK(h.run({"run", "--", "x"}) == 7);
  CHECK(h.out == "one two");
  CHECK(h.requests()[2].fields.get("Last-Event-ID") == "1-3-0");
}

TEST_CASE("an attempt that begins anew is told, and shown from its beginning") {
  Harness h;
  h.answer(202, kRequested);
  h.stream({attempt(1) + attempt(2) + out("2-3-0", 0, "one") + attempt(3) + out("3-2-0", 0, "on") +
            event("3-2-0", "finished", "{}")});
  h.answer(200, R"({"id":"exe_1","status":"finished","verdict":"ok","attempt":3,"stdout":"once"})");
  CHECK(h.run({"run", "--", "x"}) == 0);
  CHECK(h.out == "oneonce");
  CHECK(h.err == "attempt 3: the one before was lost, the program starts again\n");
}

TEST_CASE("a gap is told, and what is missed comes with the document") {
  Harness h;
  h.answer(202, kRequested);
  h.stream({attempt(1) + out("1-1-0", 0, "a"),
            event("1-1-0", "gap", R"({"reason":"host_unreachable"})") + out("1-9-0", 7, "late") +
                kFinished});
  h.answer(200, finished(R"(,"stdout":"abc","stdout_truncated":true,"stdout_bytes":99)"));
  CHECK(h.run({"run", "--", "x"}) == 7);
  CHECK(h.out == "abc");
  CHECK(has(h.err, "no output comes live for now (host_unreachable)"));
  CHECK(has(h.err, "stdout was cut: the program wrote 99 bytes"));
}

TEST_CASE("when nobody reads the output any more, it ends as programs in a pipe do") {
  Harness h;
  h.lines_max = 1;
  h.answer(202, kRequested);
  h.stream({attempt(1) + out("1-3-0", 0, "y\\n"), out("1-6-0", 3, "y\\n"), kFinished});
  CHECK(h.run({"run", "--", "x"}) == 141);
  CHECK(h.out == "y\n");
  CHECK(h.requests().size() == 2);
}

TEST_CASE("what was over at once is shown without a stream") {
  Harness h;
  h.answer(200, finished(R"(,"stdout":"hello")"));
  CHECK(h.run({"run", "--idempotency-key", "k", "--", "x"}) == 7);
  CHECK(h.out == "hello");
  CHECK(h.requests().size() == 1);
}

// A server that says nothing until it is asked to end.
class SilentClient final : public http::Client {
 public:
  explicit SilentClient(ManualClock& clock) : clock_(clock) {}
  void send(http::ClientRequest, Done done) override {
    clock_.advance(Millis{990});  // so that little of the wait is left
    http::ClientResponse response;
    response.status = 202;
    response.body = kRequested;
    done(std::move(response));
  }
  void stream(http::ClientRequest, std::function<bool(BytesView)> on_data, Done done) override {
    CHECK(on_data(attempt(1) + out("1-5-0", 0, "early")));
    on_data_ = std::move(on_data);
    done_ = std::move(done);
  }
  // What comes after the verb has ended.
  void go_on() {
    CHECK_FALSE(on_data_(out("1-9-0", 5, "late")));
    done_(http::ClientResponse{});
  }

 private:
  ManualClock& clock_;
  std::function<bool(BytesView)> on_data_;
  Done done_;
};

TEST_CASE("--wait ends the watching, and nothing is written after it") {
  ManualClock clock;
  SilentClient client(clock);
  SeededRandom random(7);
  std::string written, noted;
  CliParts parts{client, clock, random, {}, {}, {}, false, false, {}, {}, {}, {}, {}, {}, {}};
  parts.environment["SANDTRAIL_URL"] = "http://server:8080";
  parts.environment["SANDTRAIL_API_KEY"] = "st_secret";
  parts.out = [&](BytesView bytes) { return written += bytes, true; };
  parts.err = [&](BytesView bytes) { return noted += bytes, true; };
  parts.pause = [](Millis) {};
  CHECK(run_cli({"run", "--wait", "1", "--", "x"}, std::move(parts)) == 75);
  client.go_on();
  CHECK(written == "early");
  CHECK(has(noted, "it is not over yet: exe_1"));
}

TEST_CASE("the output of an execution can be followed by its id") {
  Harness h;
  h.stream({attempt(1) + out("1-3-0", 0, "one") +
            event("1-3-0", "finished", R"({"stdout_truncated":true,"stdout_bytes":9})")});
  CHECK(h.run({"executions", "output", "exe_1"}) == 0);
  CHECK(h.out == "one");
  CHECK(has(h.err, "stdout was cut"));
  h.stream({event("1-0-0", "finished", R"({"erased":true})")});
  CHECK(h.run({"executions", "output", "exe_1"}) == 3);
  CHECK(has(h.err, "its contents are erased"));
  h.answer(404, R"({"title":"There is no such thing","code":"not_found"})");
  CHECK(h.run({"executions", "output", "exe_1"}) == 3);
}

}  // namespace
}  // namespace sandtrail
