// SPDX-License-Identifier: Apache-2.0
// Answers that come later, from other threads, as streams, or never: and clients that leave.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

const std::string kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kStream = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kEcho = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

// The data of whole chunks; "?" if the coding is wrong.
std::string unchunk(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t line = text.find("\r\n");
    if (line == std::string_view::npos) return out + "?";
    const std::size_t size = std::stoul(std::string(text.substr(0, line)), nullptr, 16);
    text.remove_prefix(line + 2);
    if (text.size() < size + 2 || text.substr(size, 2) != "\r\n") return out + "?";
    out += text.substr(0, size);
    text.remove_prefix(size + 2);
  }
  return out;
}

}  // namespace

TEST_BOTH_WAYS("a thousand requests wait on one thread and are all answered") {
  constexpr int kClients = 1000;
  TestServer server(1);
  std::vector<RawSocket> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(server.connect());
    REQUIRE(clients.back().send(kHold));
  }
  REQUIRE(eventually([&] { return server.held() == kClients; }));
  CHECK(server.server().connections() == kClients);
  RawSocket other = server.connect();
  other.send(kEcho);
  CHECK(status_of(other.receive_response()) == 200);
  for (int i = 0; i < kClients; ++i) {
    Response response;
    response.body = "done";
    server.take_held()->respond(std::move(response));
  }
  int answered = 0;
  for (RawSocket& client : clients) answered += body_of(client.receive_response()) == "done";
  CHECK(answered == kClients);
}

TEST_BOTH_WAYS("answers from many threads reach their own clients") {
  TestServer server(2);
  constexpr int kClients = 64;
  std::vector<RawSocket> clients;
  std::vector<std::shared_ptr<Responder>> held;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(server.connect());
    clients.back().send(kHold);
    held.push_back(server.take_held());
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < kClients; i += 4) {
        Response response;
        response.body = std::to_string(i);
        held[i]->respond(std::move(response));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kClients; ++i) {
    CHECK(body_of(clients[i].receive_response()) == std::to_string(i));
  }
}

TEST_BOTH_WAYS("a peer that leaves ends the wait, one that only stops sending does not") {
  TestServer server;
  RawSocket gone = server.connect();
  gone.send(kHold);
  auto lost = server.take_held();
  Counter gone_closed;
  lost->on_closed(gone_closed.callback());
  RawSocket half = server.connect();
  half.send(kHold);
  half.shutdown_write();
  const auto kept = server.take_held();
  Counter half_closed;
  kept->on_closed(half_closed.callback());

  gone.reset();
  CHECK(eventually([&] { return gone_closed.count() == 1; }));
  CHECK(eventually([&] { return server.server().connections() == 1; }));
  lost->respond({});  // into nothing
  lost.reset();
  CHECK(half_closed.count() == 0);
  kept->respond({});
  CHECK(status_of(half.receive_response()) == 200);
  CHECK(half.ended());
  CHECK(eventually([&] { return server.server().connections() == 0; }));
  CHECK(half_closed.count() == 0);
  CHECK(gone_closed.count() == 1);
}

TEST_BOTH_WAYS("who asks for the end after it is told at once") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kHold);
  const auto held = server.take_held();
  socket.reset();
  REQUIRE(eventually([&] { return server.server().connections() == 0; }));
  Counter closed;
  held->on_closed(closed.callback());
  CHECK(closed.count() == 1);
  const auto stream = held->start_stream({});
  CHECK_FALSE(stream->write("x"));
  stream->on_closed(closed.callback());
  CHECK(closed.count() == 2);
}

TEST_BOTH_WAYS("a stream goes out as it is written, and the connection goes on after it") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream);
  const std::string head = socket.receive_until("\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);
  const auto stream = server.take_stream();
  Counter closed;
  stream->on_closed(closed.callback());
  CHECK(stream->write("first"));
  CHECK(socket.receive_until("\r\nfirst\r\n") == "5\r\nfirst\r\n");
  CHECK(stream->write(""));
  CHECK(stream->write("second"));
  CHECK(socket.receive_until("second\r\n") == "6\r\nsecond\r\n");
  CHECK(closed.count() == 0);
  stream->finish();
  stream->finish();
  CHECK_FALSE(stream->write("late"));
  CHECK(socket.receive_until("0\r\n\r\n") == "0\r\n\r\n");
  CHECK(eventually([&] { return closed.count() == 1; }));
  socket.send(kEcho);
  CHECK(status_of(socket.receive_response()) == 200);
  CHECK(closed.count() == 1);
}

TEST_BOTH_WAYS("many writes make few chunks, and nothing is lost or moved") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream + kEcho);
  const auto stream = server.take_stream();
  std::string expected;
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) {
      const std::string piece = std::to_string(i) + ",";
      expected += piece;
      if (!stream->write(piece)) break;
    }
    stream->finish();
  });
  socket.receive_until("\r\n\r\n");
  const std::string text = socket.receive_until("\r\n0\r\n\r\n");
  writer.join();
  CHECK(unchunk(std::string_view(text).substr(0, text.size() - 5)) == expected);
  CHECK(status_of(socket.receive_response()) == 200);
}

TEST_BOTH_WAYS("an HTTP/1.0 client gets the stream without chunks, up to the end") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto stream = server.take_stream();
  stream->write("one");
  stream->write("two");
  stream->finish();
  const std::string response = socket.receive_all();
  CHECK(response.find("Transfer-Encoding") == std::string::npos);
  CHECK(response.find("Connection: close\r\n") != std::string::npos);
  CHECK(body_of(response) == "onetwo");
}

TEST_BOTH_WAYS("a reader that falls behind is cut, and the writer told") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream);
  const auto stream = server.take_stream();
  Counter closed;
  stream->on_closed(closed.callback());
  const std::string piece(64 * 1024, 's');
  std::size_t written = 0;
  // The kernel's buffers take some megabytes first.
  while (stream->write(piece) && written < (64u << 20)) written += piece.size();
  CHECK(written < (64u << 20));
  CHECK(written >= limits::kHttpStreamBufferBytesMax - piece.size());
  CHECK(eventually([&] { return closed.count() == 1; }));
  CHECK_FALSE(stream->write("x"));
  CHECK(server.server().connections() == 0);
}

TEST_BOTH_WAYS("a reader that stops reading within the limit is cut by time") {
  TestServer server;
  RawSocket socket = server.connect_narrow();
  socket.send(kStream);
  const auto stream = server.take_stream();
  Counter closed;
  stream->on_closed(closed.callback());
  CHECK(stream->write(std::string(limits::kHttpStreamBufferBytesMax / 2, 's')));
  CHECK(server.pass_time_until([&] { return closed.count() == 1; }));
  CHECK_FALSE(stream->write("x"));
}

TEST_BOTH_WAYS("a reader of a quiet stream that resets is noticed") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream);
  const auto stream = server.take_stream();
  Counter closed;
  stream->on_closed(closed.callback());
  socket.receive_until("\r\n\r\n");
  socket.reset();
  CHECK(eventually([&] { return closed.count() == 1; }));
  CHECK_FALSE(stream->write("x"));
}

TEST_BOTH_WAYS("a reader that closes is noticed by the next writes") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream);
  const auto stream = server.take_stream();
  socket.receive_until("\r\n\r\n");
  socket.close();
  CHECK(eventually([&] { return !stream->write(": \n\n"); }));
}

TEST_BOTH_WAYS("a stream that is dropped unfinished shows as incomplete") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(kStream);
  auto stream = server.take_stream();
  stream->write("part");
  socket.receive_until("part\r\n");
  stream.reset();
  CHECK(socket.receive_all() == "");
}

TEST_BOTH_WAYS("stopping lets answers finish and closes the idle at once") {
  TestServer server;
  RawSocket idle = server.connect();
  idle.send(kEcho);
  CHECK(status_of(idle.receive_response()) == 200);
  RawSocket waiting = server.connect();
  waiting.send(kHold);
  const auto held = server.take_held();
  std::thread stopper([&] { server.server().stop(Millis{kPatienceMs}); });
  CHECK(idle.receive_all() == "");
  Response response;
  response.body = "last words";
  held->respond(std::move(response));
  const std::string last = waiting.receive_response();
  CHECK(body_of(last) == "last words");
  CHECK(last.find("Connection: close\r\n") != std::string::npos);
  CHECK(waiting.ended());
  waiting.close();
  stopper.join();
  CHECK(server.server().connections() == 0);
  CHECK_THROWS(server.connect());
}

TEST_BOTH_WAYS("stopping does not wait for ever") {
  TestServer server(2);
  RawSocket waiting = server.connect();
  waiting.send(kHold);
  const auto held = server.take_held();
  RawSocket streaming = server.connect();
  streaming.send(kStream);
  const auto stream = server.take_stream();
  Counter closed;
  held->on_closed(closed.callback());
  stream->on_closed(closed.callback());
  server.server().stop(Millis{50});
  CHECK(closed.count() == 2);
  CHECK(waiting.ended());
  CHECK(streaming.ended());
  held->respond({});
  CHECK_FALSE(stream->write("x"));
  server.server().stop(Millis{50});
}

TEST_BOTH_WAYS("responders and streams may outlive the server") {
  std::shared_ptr<Responder> held;
  std::shared_ptr<Stream> stream;
  {
    TestServer server;
    RawSocket one = server.connect();
    one.send(kHold);
    held = server.take_held();
    RawSocket two = server.connect();
    two.send(kStream);
    stream = server.take_stream();
  }
  CHECK_FALSE(stream->write("x"));
  stream->finish();
  held->respond({});
}

TEST_BOTH_WAYS("clients that come and go in all ways leave nothing behind") {
  TestServer server(2);
  SeededRandom random(7);
  std::vector<std::shared_ptr<Responder>> held;
  for (int i = 0; i < 300; ++i) {
    RawSocket socket = server.connect();
    const std::string requests[] = {
        kEcho,     kHold,
        kStream,   "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ec", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"};
    const auto kind = random.below(6);
    socket.send(requests[kind]);
    const bool answered = kind == 0 || kind == 3;
    if (answered && random.below(2) == 0) socket.receive_some();
    if (random.below(2) == 0) socket.reset();
  }
  while (server.held() > 0) server.take_held()->respond({});
  CHECK(server.pass_time_until([&] {
    while (server.held() > 0) server.take_held()->respond({});
    server.drop_streams();
    return server.server().connections() == 0;
  }));
}
