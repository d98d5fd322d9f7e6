// SPDX-License-Identifier: Apache-2.0
// The client against peers that behave: our server, and raw ones that note what arrives.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "base/limits.h"
#include "test_client.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

std::string ok(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

// Answers every request of every connection alike, one connection after the other.
RawServer::Script answer_all(std::string response) {
  return [response](RawSocket& socket, int) {
    while (!socket.receive_until("\r\n\r\n").empty()) {
      if (!socket.send(response)) return;
    }
  };
}

}  // namespace

TEST_BOTH_WAYS("requests and answers pass between our client and our server") {
  TestServer server;
  const auto client = client_with(open_options());
  ClientRequest request = request_to(server.url("/echo/a?b=%20"), "PUT", "the body");
  request.fields.add("X", "value");
  const auto result = call(*client, request);
  REQUIRE(result.ok());
  CHECK(result->status == 200);
  CHECK(result->body == "PUT /echo/a?b=%20|value|the body");
  CHECK(result->remote_address == "127.0.0.1");
  CHECK_FALSE(result->truncated);
  CHECK(result->timings.total_us > 0);
  CHECK(result->timings.connect_us > 0);
  CHECK((result->timings.tls_us > 0) == server.url("").starts_with("https:"));
  CHECK(server.last_request().fields.get("User-Agent") == "sandtrail");
  CHECK(server.last_request().fields.get("Content-Length") == "8");
  const auto again = call(*client, request_to(server.url("/204")));
  REQUIRE(again.ok());
  CHECK(again->status == 204);
  CHECK(again->timings.connect_us == 0);
  CHECK(server.server().connections() == 1);
  const auto head = call(*client, request_to(server.url("/big"), "HEAD"));
  REQUIRE(head.ok());
  CHECK(head->body == "");
  CHECK(head->fields.get("Content-Length") == std::to_string(16u << 20));
  CHECK(server.server().connections() == 1);
}

TEST_RAW_BOTH_WAYS("what is sent is exactly this") {
  std::mutex mutex;
  std::vector<std::string> seen;
  RawServer server([&](RawSocket& socket, int) {
    for (std::string head = socket.receive_until("\r\n\r\n"); !head.empty();
         head = socket.receive_until("\r\n\r\n")) {
      {
        const std::lock_guard lock(mutex);
        seen.push_back(head);
      }
      socket.send(ok(""));
    }
  });
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  const auto client = client_with(open_options());
  CHECK(call(*client, request_to(server.url("/a?b"))).ok());
  CHECK(call(*client, request_to(server.url(), "POST")).ok());
  CHECK(call(*client, request_to(server.url(), "DELETE")).ok());
  ClientRequest own = request_to(server.url());
  own.fields.add("host", "other");
  own.fields.add("user-agent", "me");
  CHECK(call(*client, own).ok());
  const std::lock_guard lock(mutex);
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == "GET /a?b HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: sandtrail\r\n\r\n");
  CHECK(seen[1] == "POST / HTTP/1.1\r\nHost: " + host +
                       "\r\nUser-Agent: sandtrail\r\nContent-Length: 0\r\n\r\n");
  CHECK(seen[2] == "DELETE / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: sandtrail\r\n\r\n");
  CHECK(seen[3] == "GET / HTTP/1.1\r\nhost: other\r\nuser-agent: me\r\n\r\n");
  CHECK(server.connections() == 1);
}

TEST_RAW_BOTH_WAYS("responses are read in every framing, and connections kept where they can be") {
  struct Row {
    std::string name;
    std::string response;
    std::string body;
    bool kept;
    bool closes;  // the peer, after the response
  };
  const Row rows[] = {
      {"length", ok("abc"), "abc", true, false},
      {"empty", ok(""), "", true, false},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3;x\r\nabc\r\n1\r\nd\r\n0\r\nT: 1\r\n\r\n",
       "abcd", true, false},
      {"to the end", "HTTP/1.1 200 OK\r\n\r\nabc", "abc", false, true},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", false, false},
      {"HTTP/1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
       "abc", true, false},
      {"says close", ok("abc", "Connection: close\r\n"), "abc", false, false},
      {"interim first",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("abc"),
       "abc", true, false},
      {"something behind it", ok("abc") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "abc",
       false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server([&](RawSocket& socket, int) {
      while (!socket.receive_until("\r\n\r\n").empty()) {
        socket.send(row.response);
        if (row.closes) return;
      }
    });
    const auto client = client_with(open_options());
    for (int i = 0; i < 2; ++i) {
      const auto result = call(*client, request_to(server.url()));
      REQUIRE(result.ok());
      CHECK(result->status == 200);
      CHECK(result->body == row.body);
    }
    CHECK(server.connections() == (row.kept ? 1 : 2));
  }
}

TEST_RAW_BOTH_WAYS("a caller that says close gets no kept connection") {
  RawServer server(answer_all(ok("x")));
  const auto client = client_with(open_options());
  for (int i = 0; i < 2; ++i) {
    ClientRequest request = request_to(server.url());
    request.fields.add("Connection", "close");
    CHECK(call(*client, request).ok());
  }
  CHECK(server.connections() == 2);
}

TEST_RAW_BOTH_WAYS("redirects are answers, not orders") {
  RawServer elsewhere(answer_all(ok("never")));
  RawServer server(answer_all("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.url() +
                              "\r\nContent-Length: 0\r\n\r\n"));
  const auto client = client_with(open_options());
  const auto result = call(*client, request_to(server.url()));
  REQUIRE(result.ok());
  CHECK(result->status == 302);
  CHECK(result->fields.get("location") == elsewhere.url());
  CHECK(elsewhere.connections() == 0);
}

TEST_RAW_BOTH_WAYS("long responses are cut or refused, and a little surplus keeps the connection") {
  struct Row {
    std::size_t bytes;
    bool kept;
  };
  for (const Row& row : {Row{101, true}, Row{60'000, true}, Row{1'000'000, false}}) {
    CAPTURE(row.bytes);
    RawServer server(answer_all(ok(std::string(row.bytes, 'x'))));
    const auto client = client_with(open_options());
    ClientRequest request = request_to(server.url());
    request.response_bytes_max = 100;
    const auto refused = call(*client, request);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(server.connections() == 1);
    request.truncate_response = true;
    // The rest is read behind the caller's back, so the connection is free a little later.
    const auto cut = call(*client, request);
    REQUIRE(cut.ok());
    CHECK(cut->body == std::string(100, 'x'));
    CHECK(cut->truncated);
    if (row.kept) {
      CHECK(eventually([&] {
        const int before = server.connections();
        return call(*client, request).ok() && server.connections() == before;
      }));
    } else {
      CHECK(call(*client, request).ok());
      CHECK(server.connections() == 3);
    }
  }
  RawServer exact(answer_all(ok(std::string(100, 'x'))));
  const auto client = client_with(open_options());
  ClientRequest request = request_to(exact.url());
  request.response_bytes_max = 100;
  const auto whole = call(*client, request);
  REQUIRE(whole.ok());
  CHECK_FALSE(whole->truncated);
}

TEST_RAW_BOTH_WAYS("a cut response is delivered before a slow peer has sent the rest") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + std::string(150, 'x'));
    socket.ended();  // never sends the rest
  });
  const auto client = client_with(open_options());
  ClientRequest request = request_to(server.url());
  request.response_bytes_max = 100;
  request.truncate_response = true;
  request.timeout = seconds(2);
  const auto result = call(*client, request);
  REQUIRE(result.ok());
  CHECK(result->truncated);
}

TEST_RAW_BOTH_WAYS("an early answer to a long request is heard") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_some(100);
    socket.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    socket.shutdown_write();
    while (!socket.receive_some().empty()) {
    }
  });
  const auto client = client_with(open_options());
  const auto result = call(*client, request_to(server.url(), "POST", Bytes(16u << 20, 'b')));
  REQUIRE(result.ok());
  CHECK(result->status == 413);
  CHECK(result->body == "no");
}

TEST_BOTH_WAYS("many requests at once are all answered, over a bounded pool") {
  TestServer server(2);
  ClientOptions options = open_options();
  options.threads = 2;
  const auto client = client_with(options);
  std::vector<Pending> pending(300);
  for (auto& one : pending) client->send(request_to(server.url("/echo")), one.done());
  int answered = 0;
  for (auto& one : pending) {
    const auto result = one.wait();
    answered += result.ok() && result->status == 200;
  }
  CHECK(answered == 300);
  CHECK(eventually(
      [&] { return server.server().connections() <= limits::kHttpClientKeptPerOriginMax; }));
}

TEST_BOTH_WAYS("more requests than allowed in flight are refused at once") {
  TestServer server;
  ClientOptions options = open_options();
  options.in_flight_max = 2;
  const auto client = client_with(options);
  std::vector<Pending> pending(2);
  for (auto& one : pending) client->send(request_to(server.url("/hold")), one.done());
  CHECK(name_of_result(call(*client, request_to(server.url("/echo")))) == "overloaded");
  for (int i = 0; i < 2; ++i) server.take_held()->respond({});
  for (auto& one : pending) CHECK(name_of_result(one.wait()) == "200");
  CHECK(name_of_result(call(*client, request_to(server.url("/echo")))) == "200");
}

TEST_BOTH_WAYS("a callback may send again") {
  TestServer server;
  const auto client = client_with(open_options());
  Pending second;
  client->send(request_to(server.url("/echo")), [&](Result<ClientResponse>) {
    client->send(request_to(server.url("/echo?2")), second.done());
  });
  CHECK(name_of_result(second.wait()) == "200");
}

TEST_BOTH_WAYS("a stream arrives as it is written") {
  TestServer server;
  const auto client = client_with(open_options());
  std::mutex mutex;
  std::string got;
  Pending pending;
  client->stream(
      request_to(server.url("/stream")),
      [&](BytesView piece) {
        const std::lock_guard lock(mutex);
        got += piece;
        return true;
      },
      pending.done());
  const auto stream = server.take_stream();
  const auto has = [&](std::string_view text) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return got == text;
    });
  };
  stream->write("one");
  CHECK(has("one"));
  stream->write("two");
  CHECK(has("onetwo"));
  stream->finish();
  const auto result = pending.wait();
  REQUIRE(result.ok());
  CHECK(result->body == "");
  CHECK_FALSE(result->truncated);
  CHECK(result->fields.get("Content-Type") == "text/event-stream");
}

TEST_BOTH_WAYS("a stream can be stopped, and its peer notices") {
  TestServer server;
  const auto client = client_with(open_options());
  Pending pending;
  client->stream(
      request_to(server.url("/stream")), [](BytesView) { return false; }, pending.done());
  const auto stream = server.take_stream();
  stream->write("enough");
  const auto result = pending.wait();
  REQUIRE(result.ok());
  CHECK(result->truncated);
  CHECK(eventually([&] { return !stream->write(":\n"); }));
}

TEST_RAW_BOTH_WAYS("an answer other than 2xx is not streamed") {
  RawServer server(answer_all("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"));
  const auto client = client_with(open_options());
  Pending pending;
  std::atomic<int> pieces{0};
  client->stream(
      request_to(server.url()), [&](BytesView) { return ++pieces, true; }, pending.done());
  const auto result = pending.wait();
  REQUIRE(result.ok());
  CHECK(result->status == 404);
  CHECK(result->body == "none");
  CHECK(pieces == 0);
}

TEST_BOTH_WAYS("a stream lives on as long as it is not silent for the time-out") {
  TestServer server;
  const auto client = client_with(open_options());
  ClientRequest request = request_to(server.url("/stream"));
  request.timeout = Millis{1000};
  Pending pending;
  client->stream(
      request, [](BytesView) { return true; }, pending.done());
  const auto stream = server.take_stream();
  // Longer than the time-out, with heartbeats much closer than it.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    REQUIRE(stream->write(":\n\n"));
  }
  CHECK(name_of_result(pending.wait()) == "timeout");
}

TEST_BOTH_WAYS("destroying the client ends what is in flight as cancelled") {
  TestServer server;
  std::vector<Pending> pending(3);
  Pending from_callback;
  {
    auto client = client_with(open_options());
    Client* raw = client.get();
    client->send(request_to(server.url("/hold")), pending[0].done());
    client->send(request_to(server.url("/hold")), [&, raw](Result<ClientResponse> result) {
      pending[1].done()(std::move(result));
      raw->send(request_to(server.url("/hold")), from_callback.done());
    });
    client->stream(
        request_to(server.url("/stream")), [](BytesView) { return true; }, pending[2].done());
    server.take_held();
    server.take_stream();
  }
  for (auto& one : pending) {
    const std::string name = name_of_result(one.wait());
    // The peer's side may have been answered (500) or cut by the test's dropping it.
    CHECK((name == "cancelled" || name == "500" || name == "unavailable"));
  }
  const std::string name = name_of_result(from_callback.wait());
  CHECK((name == "cancelled" || name == "500"));
}
