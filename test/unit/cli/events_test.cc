// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"
#include "http/sse.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

Bytes event(int position, const std::string& type) {
  return http::sse_text(
      {std::to_string(position), type,
       R"({"event":"evt_1","time":"2026-01-01T00:00:00.000Z","position":"events/0/)" +
           std::to_string(position) + R"(","attempt":1,"usage":{"x":1}})"});
}

TEST_CASE("followed events are shown until the stream ends") {
  Harness h;
  h.stream(
      {event(3, "execution.requested") + event(4, "exec"), "", event(9, "execution.finished")});
  CHECK(h.run({"executions", "events", "exe_1", "-f"}) == 0);
  CHECK(h.out ==
        "2026-01-01T00:00:00.000Z  execution.requested attempt=1\n"
        "2026-01-01T00:00:00.000Z  exec attempt=1\n"
        "2026-01-01T00:00:00.000Z  execution.finished attempt=1\n");
  CHECK(h.last_request().url.target == "/v1/executions/exe_1/events");
  CHECK(h.last_request().fields.get("Accept") == "text/event-stream");
}

TEST_CASE("a broken stream is resumed behind the last event") {
  Harness h;
  http::ScriptedAnswer broken;
  broken.result = Error{ErrorCode::unavailable, "broken", ""};
  broken.pieces = {http::sse_retry(Millis{2500}) + event(3, "a")};
  h.client.scripted.push(broken);
  h.stream({event(4, "b")});
  CHECK(h.run({"executions", "events", "exe_1", "-f", "--json"}) == 0);
  CHECK(has(h.out, R"({"type":"a","event":"evt_1")"));
  CHECK(has(h.out, R"({"type":"b")"));
  CHECK(h.last_request().fields.get("Last-Event-ID") == "3");
  CHECK(h.paused_ms == 2500);
}

TEST_CASE("a stream that never comes is given up") {
  Harness h;
  for (int i = 0; i < 10; ++i) h.fail(ErrorCode::unavailable, "broken");
  CHECK(h.run({"executions", "events", "exe_1", "-f"}) == 3);
  CHECK(h.requests().size() == 10);
}

TEST_CASE("without following it ends at the newest event the execution has") {
  Harness h;
  h.answer(200, R"({"id":"exe_1","status":"started","position":"events/0/4"})");
  h.stream({event(3, "a"), event(4, "b"), event(5, "c")});
  CHECK(h.run({"executions", "events", "exe_1"}) == 0);
  CHECK(has(h.out, "  b "));
  CHECK_FALSE(has(h.out, "  c "));
}

TEST_CASE("an execution that is not there is an error") {
  Harness h;
  h.answer(404, R"({"title":"There is no such thing","code":"not_found"})");
  CHECK(h.run({"executions", "events", "exe_1", "-f"}) == 3);
  CHECK(has(h.err, "There is no such thing"));
}

}  // namespace
}  // namespace sandtrail
