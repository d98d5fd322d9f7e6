// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "http/loopback_network.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

struct Ended {
  int times = 0;
  Result<ClientResponse> result = ClientResponse{};
  Client::Done done() {
    return [this](Result<ClientResponse> r) {
      ++times;
      result = std::move(r);
    };
  }
};

ClientRequest get(const std::string& target, Millis timeout = seconds(5)) {
  ClientRequest request;
  request.url = {"http", "a", 80, target};
  request.timeout = timeout;
  return request;
}

struct Net {
  ManualClock clock;
  LoopbackNetwork network{clock, [] { return Millis{10}; }};
  std::shared_ptr<Responder> held;
  int closed = 0;

  Net() {
    network.serve("a:80", [this](Request request, std::shared_ptr<Responder> responder) {
      if (request.path == "/wait") {
        responder->on_closed([this] { ++closed; });
        held = std::move(responder);
        return;
      }
      Response response;
      response.body = request.path + "|" + request.query + "|" + request.peer_address;
      responder->respond(std::move(response));
    });
  }
  void pass(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; ++i) {
      clock.advance({1});
      network.deliver();
    }
  }
};

}  // namespace

TEST_CASE("loopback: a request is answered after its way there and back") {
  Net net;
  Ended ended;
  const auto client = net.network.client("here");
  client->send(get("/x?y=1"), ended.done());
  net.pass(19);
  CHECK(ended.times == 0);
  CHECK(net.network.next_due()->count == 1);
  net.pass(1);
  REQUIRE(ended.times == 1);
  CHECK(ended.result->body == "/x|y=1|here");
  CHECK(net.network.in_flight() == 0);
}

TEST_CASE("loopback: what ends without an answer says why") {
  Net net;
  const auto client = net.network.client("here");
  Ended ended;
  SUBCASE("nobody listens") {
    ClientRequest request = get("/");
    request.url.port = 81;
    client->send(request, ended.done());
    net.pass(30);
    CHECK(ended.result.error().code == ErrorCode::unavailable);
  }
  SUBCASE("the server takes too long, and hears that nobody waits any more") {
    client->send(get("/wait", {100}), ended.done());
    net.pass(101);
    CHECK(ended.result.error().code == ErrorCode::timeout);
    CHECK(net.closed == 1);
  }
  SUBCASE("the server dies, and another in its place does not answer for it") {
    client->send(get("/wait"), ended.done());
    net.pass(15);
    net.network.die("a:80");
    net.network.serve("a:80", [](Request, const std::shared_ptr<Responder>& responder) {
      responder->respond({});
    });
    net.pass(15);
    CHECK(ended.result.error().code == ErrorCode::unavailable);
  }
  CHECK(ended.times == 1);
}

TEST_CASE("loopback: a way that is cut lets nothing through, there or back, until it is not") {
  for (const std::int64_t when : {0, 12}) {
    CAPTURE(when);
    Net net;
    const auto client = net.network.client("here");
    Ended lost;
    client->send(get("/x", {100}), lost.done());
    net.pass(when);
    net.network.cut("here", "a:80", true);
    net.pass(80);
    CHECK(lost.times == 0);
    net.pass(30);
    REQUIRE(lost.times == 1);
    CHECK(lost.result.error().code == ErrorCode::timeout);
    net.network.cut("here", "a:80", false);
    Ended answered;
    client->send(get("/x"), answered.done());
    net.pass(30);
    CHECK(answered.result.ok());
  }
}

TEST_CASE("loopback: what arrives at a process that stands still waits for it") {
  Net net;
  const auto client = net.network.client("here");
  Ended ended;
  client->send(get("/x", {100}), ended.done());
  net.network.freeze("here", true);
  net.pass(500);
  CHECK(ended.times == 0);
  CHECK(!net.network.next_due().has_value());
  net.network.freeze("here", false);
  net.pass(1);
  REQUIRE(ended.times == 1);
  CHECK(ended.result.ok());  // it came in time, before the clock was looked at
}

TEST_CASE("loopback: a server that stands still answers late, or too late") {
  Net net;
  const auto client = net.network.client("here");
  net.network.freeze("a:80", true);
  Ended patient;
  Ended hasty;
  client->send(get("/x"), patient.done());
  client->send(get("/x", {100}), hasty.done());
  net.pass(500);
  CHECK(patient.times == 0);
  REQUIRE(hasty.times == 1);
  CHECK(hasty.result.error().code == ErrorCode::timeout);
  net.network.freeze("a:80", false);
  net.pass(20);
  REQUIRE(patient.times == 1);
  CHECK(patient.result.ok());
}

TEST_CASE("loopback: what is in flight when its client ends is cancelled") {
  Net net;
  Ended ended;
  auto client = net.network.client("here");
  client->send(get("/wait"), ended.done());
  net.pass(15);
  client.reset();
  REQUIRE(ended.times == 1);
  CHECK(ended.result.error().code == ErrorCode::cancelled);
  CHECK(net.closed == 1);
}
