// SPDX-License-Identifier: Apache-2.0
// Sizes and times: what a slow, silent or greedy client may cost.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <string>

#include <vector>

#include "base/limits.h"
#include "http_beast/open_files.h"
#include "http_beast/server.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

const std::string kGet = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST /echo HTTP/1.1\r\nHost: a\r\n";

std::string with_head_of(std::size_t bytes) {
  std::string head = "GET /echo HTTP/1.1\r\nHost: a\r\n";
  while (head.size() + 1000 < bytes) head += "Y: " + std::string(900, 'y') + "\r\n";
  head += "Z: ";
  return head + std::string(bytes - head.size() - 4, 'z') + "\r\n\r\n";
}

std::string announced(std::size_t bytes) {
  return "Content-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

// The status of a request with such a body, on a connection of its own.
int post(TestServer& server, std::size_t bytes) {
  RawSocket socket = server.connect();
  socket.send(kPost + announced(bytes) + std::string(bytes, 'b'));
  return status_of(socket.receive_response());
}

void check_overload(const std::string& response) {
  CHECK(status_of(response) == 503);
  CHECK(response.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(response.find("Connection: close\r\n") != std::string::npos);
}

}  // namespace

TEST_BOTH_WAYS("sizes are accepted up to their limit and refused above it") {
  using namespace limits;
  struct Row {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::string target(kHttpTargetBytesMax, '/');
  const std::string body(kHttpBodyBytesMax, 'b');
  char size[32];
  std::snprintf(size, sizeof size, "%zx", kHttpBodyBytesMax);
  std::string fields;
  for (std::size_t i = 1; i < kHttpFieldsMax; ++i) fields += "F: 1\r\n";
  const std::string chunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
  const Row rows[] = {
      {"longest target", "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"longer target", "GET " + target + "/ HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"target without end", "GET " + target + target, 414},
      {"longest head", with_head_of(kHttpHeaderBytesMax), 200},
      {"longer head", with_head_of(kHttpHeaderBytesMax + 1), 431},
      {"head without end",
       with_head_of(2 * kHttpHeaderBytesMax).substr(0, 2 * kHttpHeaderBytesMax - 4), 431},
      {"most fields", "GET /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", 200},
      {"more fields", "GET /echo HTTP/1.1\r\nHost: a\r\n" + fields + "F: 1\r\n\r\n", 431},
      {"longest body", kPost + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
       200},
      {"longer body", kPost + "Content-Length: " + std::to_string(body.size() + 1) + "\r\n\r\n",
       413},
      {"longer body that is sent",
       kPost + "Content-Length: " + std::to_string(body.size() + 1) + "\r\n\r\n" +
           body.substr(0, 500'000),
       413},
      {"longest chunked body", chunked + size + "\r\n" + body + "\r\n0\r\n\r\n", 200},
      {"longer chunked body", chunked + size + "\r\n" + body + "\r\n1\r\nx\r\n0\r\n\r\n", 413},
      {"huge chunk", chunked + "7fffffffffffffff\r\n", 413},
      {"endless chunk line", chunked + "1;" + std::string(2 * kHttpHeaderBytesMax, 'x'), 431},
      {"endless trailers", chunked + "0\r\nX: " + std::string(2 * kHttpHeaderBytesMax, 'x'), 431},
  };
  TestServer server;
  for (const Row& row : rows) {
    CAPTURE(std::string(row.name));
    RawSocket socket = server.connect();
    std::thread sender([&] { socket.send(row.bytes); });
    CHECK(status_of(socket.receive_response()) == row.status);
    if (row.status != 200) CHECK(socket.ended_cleanly());
    sender.join();
  }
}

TEST_BOTH_WAYS("the body's limit can be set lower") {
  ServerOptions options;
  options.body_bytes_max = 4;
  TestServer server(1, options);
  RawSocket socket = server.connect();
  socket.send(kPost + "Content-Length: 4\r\n\r\nabcd");
  CHECK(status_of(socket.receive_response()) == 200);
  socket.send(kPost + "Content-Length: 5\r\n\r\nabcde");
  CHECK(status_of(socket.receive_response()) == 413);
}

TEST_BOTH_WAYS("clients that are slow or silent are cut") {
  struct Row {
    const char* name;
    std::string bytes;
    int status;  // 0: closed without a word
  };
  const Row rows[] = {
      {"says nothing", "", 0},
      {"stops within the first line", "GET /ec", 408},
      {"stops within the head", "GET /echo HTTP/1.1\r\nHost: a\r\nX:", 408},
      {"stops before the body", kPost + "Content-Length: 5\r\n\r\n", 408},
      {"stops within the body", kPost + "Content-Length: 5\r\n\r\nab", 408},
      {"stops within a chunk", kPost + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 408},
      {"stops before the trailers", kPost + "Transfer-Encoding: chunked\r\n\r\n0\r\n", 408},
  };
  TestServer server;
  for (const Row& row : rows) {
    CAPTURE(std::string(row.name));
    RawSocket socket = server.connect();
    socket.send(row.bytes);
    CHECK(server.pass_time_until([&] { return socket.readable(); }));
    CHECK(status_of(socket.receive_all()) == row.status);
    socket.close();
    CHECK(server.pass_time_until([&] { return server.server().connections() == 0; }));
  }
}

TEST_BOTH_WAYS("a slow-loris does not win time with every byte") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GET /echo HTTP/1.1\r\n");
  std::string seen;
  CHECK(eventually([&] {
    server.clock().advance(Millis{100});
    socket.send("X: y\r\n");
    return socket.readable();
  }));
  // Either the answer, or the reset of a connection that was still being written to.
  const std::string response = socket.receive_all();
  CHECK((response.empty() || status_of(response) == 408));
}

TEST_BOTH_WAYS("an idle connection is kept as long as is said, and no longer") {
  TestServer server;
  RawSocket kept = server.connect();
  kept.send(kGet);
  CHECK(status_of(kept.receive_response()) == 200);
  // The silent one falls to the shorter time-out of a first request: then a sweep has passed.
  RawSocket silent = server.connect();
  REQUIRE(eventually([&] { return server.server().connections() == 2; }));
  CHECK(limits::kHttpHeaderTimeout < limits::kHttpIdleTimeout);
  server.clock().advance(Millis{limits::kHttpIdleTimeout.count - 1000});
  CHECK(silent.ended());
  kept.send(kGet);
  CHECK(status_of(kept.receive_response()) == 200);
  CHECK(server.pass_time_until([&] { return kept.readable(); }));
  CHECK(kept.receive_all() == "");
}

TEST_BOTH_WAYS("a waiting request has no time-out") {
  TestServer server;
  RawSocket waiting = server.connect();
  waiting.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto held = server.take_held();
  RawSocket silent = server.connect();
  REQUIRE(eventually([&] { return server.server().connections() == 2; }));
  CHECK(server.pass_time_until([&] { return silent.readable(); }));
  held->respond({});
  CHECK(status_of(waiting.receive_response()) == 200);
}

TEST_BOTH_WAYS("a client that does not read its answer is cut") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(socket.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(server.pass_time_until([&] { return server.server().connections() == 0; }));
  CHECK(socket.receive_all().size() < (16u << 20));
}

TEST_BOTH_WAYS("a big answer reaches a client that reads") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(body_of(socket.receive_response()).size() == (16u << 20));
}

TEST_BOTH_WAYS("a client that never ends a refused request is dropped after a while") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GARBAGE\r\n\r\n");
  CHECK(status_of(socket.receive_all()) == 400);
  socket.send("more and more");
  CHECK(server.pass_time_until([&] { return server.server().connections() == 0; }));
}

TEST_BOTH_WAYS("more connections than allowed are told so") {
  ServerOptions options;
  options.connections_max = 3;
  TestServer server(1, options);
  std::vector<RawSocket> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(server.connect());
    waiting.back().send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  REQUIRE(eventually([&] { return server.held() == 3; }));
  for (int i = 0; i < 5; ++i) {
    RawSocket refused = server.connect();
    refused.send(kGet);
    check_overload(refused.receive_all());
  }
  CHECK(server.server().connections() == 3);
  waiting.pop_back();
  server.take_held();
  CHECK(eventually([&] { return server.server().connections() <= 3; }));
  waiting.pop_back();
  server.take_held();
  CHECK(eventually([&] {
    RawSocket again = server.connect();
    again.send(kGet);
    return status_of(again.receive_response()) == 200;
  }));
}

TEST_BOTH_WAYS("bodies that stall count by what has come, until their connection ends") {
  ServerOptions options;
  options.bodies_bytes_max = 100'000;
  TestServer server(1, options);  // with more threads, both of the pair could be refused
  struct Row {
    std::string head;
    std::string end;
  };
  const Row rows[] = {{announced(90'000), ""},
                      {"Transfer-Encoding: chunked\r\n\r\n15f90\r\n", "\r\n0\r\n\r\n"}};
  for (const auto& [head, end] : rows) {
    for (const bool finishes : {true, false}) {
      CAPTURE(head);
      CAPTURE(finishes);
      RawSocket pair[] = {server.connect(), server.connect()};
      for (RawSocket& socket : pair) socket.send(kPost + head);
      CHECK(post(server, 100'000) == 200);  // to announce is free
      for (RawSocket& socket : pair) socket.send(std::string(60'000, 'b'));
      // Together they are too much; which one is refused is chance.
      REQUIRE(eventually([&] { return pair[0].readable() || pair[1].readable(); }));
      RawSocket& refused = pair[0].readable() ? pair[0] : pair[1];
      RawSocket& stalled = &refused == &pair[0] ? pair[1] : pair[0];
      check_overload(refused.receive_all());
      CHECK(post(server, 40'000) == 200);
      RawSocket without_body = server.connect();
      without_body.send(kGet);
      CHECK(status_of(without_body.receive_response()) == 200);
      if (finishes) {
        stalled.send(std::string(30'000, 'b') + end);
        CHECK(status_of(stalled.receive_response()) == 200);
        CHECK(post(server, 100'000) == 200);
      } else {
        stalled.reset();
        CHECK(eventually([&] { return post(server, 100'000) == 200; }));
      }
    }
  }
}

TEST_BOTH_WAYS("a body counts until the handler has answered, even if the peer has gone") {
  ServerOptions options;
  options.bodies_bytes_max = 100'000;
  TestServer server(1, options);
  for (const bool answers : {true, false}) {
    CAPTURE(answers);
    RawSocket waiting = server.connect();
    waiting.send("POST /hold HTTP/1.1\r\nHost: a\r\n" + announced(60'000) +
                 std::string(60'000, 'b'));
    auto held = server.take_held();
    CHECK(post(server, 60'000) == 503);
    waiting.reset();
    REQUIRE(eventually([&] { return server.server().connections() == 0; }));
    CHECK(post(server, 60'000) == 503);
    if (answers) held->respond({});
    if (!answers) held.reset();
    CHECK(post(server, 100'000) == 200);
  }
}

TEST_BOTH_WAYS("one address gets so many connections, others are served") {
  ServerOptions options;
  options.connections_per_address_max = 2;
  TestServer server(2, options);
  std::vector<RawSocket> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(server.connect());
    waiting.back().send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  REQUIRE(eventually([&] { return server.held() == 2; }));
  RawSocket refused = server.connect();
  refused.send(kGet);
  check_overload(refused.receive_all());
  RawSocket other = server.connect_from("127.0.0.2");
  other.send(kGet);
  CHECK(status_of(other.receive_response()) == 200);
  waiting.front().reset();
  CHECK(eventually([&] {
    RawSocket again = server.connect();
    again.send(kGet);
    return status_of(again.receive_response()) == 200;
  }));
}

TEST_CASE("connections leave open files to the rest of the process") {
  constexpr std::uint64_t kReserved = limits::kDescriptorsReserved;
  struct Row {
    std::size_t configured;
    std::uint64_t nofile;
    std::size_t allowed;
  };
  const Row rows[] = {
      {8192, 20'000, 8192},
      {8192, 8192 + kReserved, 8192},
      {8192, 8191 + kReserved, 8191},
      {8192, 1024, 1024 - kReserved},
      {8192, 2 * kReserved, kReserved},
      {8192, 400, 200},
      {8192, 401, 201},
      {100, 400, 100},
      {8192, 0, 0},
      {8192, RLIM_INFINITY, 8192},
  };
  for (const Row& row : rows) {
    CAPTURE(row.configured);
    CAPTURE(row.nofile);
    CHECK(connections_allowed(row.configured, row.nofile) == row.allowed);
  }
}

TEST_CASE("running out of files stops accepting, not serving, and passes") {
  TestServer server;
  RawSocket kept = server.connect();
  kept.send(kGet);
  REQUIRE(status_of(kept.receive_response()) == 200);
  std::vector<RawSocket> waiting(64);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The clients take what is left, so that accept() finds nothing.
  rlimit scarce = before;
  scarce.rlim_cur = static_cast<rlim_t>(kept.get()) + 32;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &scarce) == 0);
  std::vector<RawSocket> clients;
  try {
    for (;;) clients.push_back(server.connect());
  } catch (const std::exception&) {
  }
  kept.send(kGet);
  CHECK(status_of(kept.receive_response()) == 200);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(clients.empty());
  for (RawSocket& client : clients) {
    client.send(kGet);
    CHECK(status_of(client.receive_response()) == 200);
  }
}

TEST_CASE("what cannot be listened on is an error with a hint") {
  TestServer server;
  const auto start = [](ServerOptions options) {
    return start_server(
        std::move(options), [](Request, std::shared_ptr<Responder>) {}, 1);
  };
  ServerOptions options;
  options.port = server.server().port();
  auto taken = start(options);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == ErrorCode::conflict);
  CHECK(taken.error().hint ==
        "port already in use; choose another: --listen, --admin-listen, or launcher.listen in the "
        "settings");
  options.port = 0;
  options.address = "192.0.2.1";
  CHECK(start(options).error().code == ErrorCode::unavailable);
  for (const char* bad : {"", "localhost", "127.1", "300.0.0.1", "127.0.0.1:80"}) {
    CAPTURE(std::string(bad));
    options.address = bad;
    CHECK(start(options).error().code == ErrorCode::invalid_argument);
  }
  options.address = "::1";
  const auto six = start(options);
  if (six.ok()) CHECK((*six)->port() != 0);  // not every machine has IPv6
}
