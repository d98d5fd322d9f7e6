// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "http/scripted_client.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

ClientRequest to(const char* url) {
  ClientRequest out;
  out.url = *parse_url(url);
  return out;
}

ClientResponse with_status(int status, Bytes body = "") {
  ClientResponse out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

struct Sink {
  std::vector<std::string> got;
  Client::Done done(std::string name) {
    return [this, name](Result<ClientResponse> result) {
      got.push_back(name + " " +
                    (result ? std::to_string(result->status) + result->body +
                                  (result->truncated ? " cut" : "")
                            : std::string(name_of(result.error().code))));
    };
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("answers come when the clock says so, in the order of their due times") {
  ManualClock clock;
  ScriptedClient client(clock);
  Sink sink;
  client.push({with_status(200), Millis{50}, {}});
  client.push({with_status(201), Millis{10}, {}});
  client.push({with_status(202), Millis{50}, {}});
  client.send(to("http://a/1"), sink.done("a"));
  client.send(to("http://a/2"), sink.done("b"));
  client.send(to("http://a/3"), sink.done("c"));
  CHECK(client.in_flight() == 3);
  CHECK(client.deliver() == 0);
  CHECK(client.next_due() == Millis{10});
  clock.advance(*client.next_due());
  CHECK(client.deliver() == 1);
  CHECK(client.next_due() == Millis{40});
  clock.advance(Millis{100});
  CHECK(client.deliver() == 2);
  CHECK(sink.got == Lines{"b 201", "a 200", "c 202"});
  CHECK_FALSE(client.next_due().has_value());
  CHECK(client.requests().size() == 3);
  CHECK(client.requests()[1].url.target == "/2");
}

TEST_CASE("an answer that comes too late is a time-out") {
  ManualClock clock;
  ScriptedClient client(clock);
  Sink sink;
  client.push({with_status(200), hours(1), {}});
  client.send(to("http://a/"), sink.done("a"));
  CHECK(client.next_due() == seconds(30));
  clock.advance(seconds(30));
  client.deliver();
  CHECK(sink.got == Lines{"a timeout"});
}

TEST_CASE("without a script the function answers, without a function nobody does") {
  ManualClock clock;
  Sink sink;
  ScriptedClient asked(clock, [](const ClientRequest& request) {
    return ScriptedAnswer{with_status(request.url.target == "/yes" ? 204 : 410), Millis{0}, {}};
  });
  asked.push({Error{ErrorCode::unavailable, "down", ""}, Millis{0}, {}});
  for (const char* url : {"http://a/yes", "http://a/yes", "http://a/no"}) {
    asked.send(to(url), sink.done(url));
  }
  asked.deliver();
  ScriptedClient alone(clock);
  alone.send(to("http://a/"), sink.done("alone"));
  alone.deliver();
  CHECK(sink.got == Lines{"http://a/yes unavailable", "http://a/yes 204", "http://a/no 410",
                          "alone unavailable"});
}

TEST_CASE("a request sent by a callback is answered in the same delivery") {
  ManualClock clock;
  ScriptedClient client(clock, [](const ClientRequest&) {
    return ScriptedAnswer{with_status(200), Millis{0}, {}};
  });
  int answers = 0;
  std::function<void(Result<ClientResponse>)> again = [&](Result<ClientResponse>) {
    if (++answers < 3) client.send(to("http://a/"), again);
  };
  client.send(to("http://a/"), again);
  CHECK(client.deliver() == 3);
}

TEST_CASE("the twin refuses what the real client refuses") {
  ManualClock clock;
  Sink sink;
  ScriptedClient::Options options;
  options.policy = {};
  options.in_flight_max = 1;
  ScriptedClient client(
      clock,
      [](const ClientRequest&) {
        return ScriptedAnswer{with_status(200), Millis{0}, {}};
      },
      options);
  client.send(to("http://127.0.0.1/"), sink.done("private"));
  client.deliver();
  ClientRequest malformed = to("http://a/");
  malformed.method = "";
  client.send(malformed, sink.done("malformed"));
  client.deliver();
  client.send(to("http://a/"), sink.done("first"));
  client.send(to("http://a/"), sink.done("second"));
  client.deliver();
  CHECK(sink.got ==
        Lines{"private denied", "malformed invalid_argument", "first 200", "second overloaded"});
}

TEST_CASE("long bodies are cut or refused") {
  ManualClock clock;
  Sink sink;
  ScriptedClient client(clock, [](const ClientRequest&) {
    return ScriptedAnswer{with_status(200, "12345"), Millis{0}, {}};
  });
  ClientRequest request = to("http://a/");
  request.response_bytes_max = 4;
  client.send(request, sink.done("refused"));
  request.truncate_response = true;
  client.send(request, sink.done("cut"));
  request.response_bytes_max = 5;
  client.send(request, sink.done("whole"));
  client.deliver();
  CHECK(sink.got == Lines{"refused unavailable", "cut 2001234 cut", "whole 20012345"});
}

TEST_CASE("a stream gives its pieces until it is told to stop") {
  ManualClock clock;
  Sink sink;
  ScriptedClient client(clock, [](const ClientRequest& request) {
    return ScriptedAnswer{
        with_status(request.url.target == "/" ? 200 : 404), Millis{0}, {"a", "b", "c"}};
  });
  Bytes all, some, none;
  client.stream(
      to("http://a/"), [&](BytesView p) { return (all += p, true); }, sink.done("all"));
  client.stream(
      to("http://a/"), [&](BytesView p) { return (some += p, p != "b"); }, sink.done("some"));
  client.stream(
      to("http://a/x"), [&](BytesView p) { return (none += p, true); }, sink.done("none"));
  client.deliver();
  CHECK(all == "abc");
  CHECK(some == "ab");
  CHECK(none == "");
  CHECK(sink.got == Lines{"all 200", "some 200 cut", "none 404"});
}

TEST_CASE("what is in flight at the end is cancelled") {
  ManualClock clock;
  Sink sink;
  {
    ScriptedClient client(clock);
    client.push({with_status(200), seconds(1), {}});
    client.send(to("http://a/"), sink.done("a"));
  }
  CHECK(sink.got == Lines{"a cancelled"});
}
