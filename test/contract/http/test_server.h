// SPDX-License-Identifier: Apache-2.0
// The server under test, with a clock that the test moves and a handler for every habit.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "http/server.h"
#include "raw_peer.h"
#include "test_certificates.h"

namespace sandtrail::http::test {

// Paths:
//   /echo    200; the body is "METHOD path?query|field X|body"
//   /hold    keeps the Responder for take_held()
//   /stream  keeps the Stream for take_stream(), after the head was sent
//   /drop    drops the Responder
//   /throw   throws
//   /big     200 with 16 MiB
//   /204     204
//   /split   a response whose field would split the message
//   /close   200 with "Connection: close"
class TestServer {
 public:
  explicit TestServer(int threads = 1, ServerOptions options = {});
  virtual ~TestServer();

  Server& server() { return *server_; }
  ManualClock& clock() { return *clock_; }
  // With TLS: after the handshake; throws if that fails.
  RawSocket connect() { return start(RawSocket::connect(server_->port())); }
  RawSocket connect_narrow() { return start(RawSocket::connect_narrow(server_->port())); }
  RawSocket connect_from(const char* address) {
    return start(RawSocket::connect_from(address, server_->port()));
  }
  std::string url(std::string_view target) const;

  // The oldest one not yet taken; waits for it.
  std::shared_ptr<Responder> take_held();
  std::shared_ptr<Stream> take_stream();
  std::size_t held();
  void drop_streams();
  Request last_request();

  // Moves the clock by two minutes, again and again, until the condition holds.
  bool pass_time_until(const std::function<bool()>& condition);

 private:
  RawSocket start(RawSocket socket) const;
  void handle(Request request, std::shared_ptr<Responder> responder);

  const bool tls_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Responder>> held_;
  std::deque<std::shared_ptr<Stream>> streams_;
  Request last_;
  std::unique_ptr<Server> server_;
};

// The same over mutual TLS, with a certificate for every client.
class TlsTestServer final : public TestServer {
 public:
  explicit TlsTestServer(int threads = 1, ServerOptions options = {})
      : TestServer(threads, with_tls(std::move(options))) {}

 private:
  static ServerOptions with_tls(ServerOptions options) {
    options.tls = server_tls();
    return options;
  }
};
class PlainTestServer final : public TestServer {
 public:
  using TestServer::TestServer;
};
// A test that runs both ways; in it, TestServer (RawServer) is the server of the way.
#define TEST_BOTH_WAYS(name) TEST_CASE_TEMPLATE(name, TestServer, PlainTestServer, TlsTestServer)
#define TEST_RAW_BOTH_WAYS(name) TEST_CASE_TEMPLATE(name, RawServer, PlainRawServer, TlsRawServer)

// Counts calls, for on_closed().
class Counter {
 public:
  std::function<void()> callback() {
    return [count = count_] { ++*count; };
  }
  int count() const { return *count_; }

 private:
  std::shared_ptr<std::atomic<int>> count_ = std::make_shared<std::atomic<int>>(0);
};

inline int status_of(std::string_view response) {
  return response.size() < 12 ? 0 : std::stoi(std::string(response.substr(9, 3)));
}
inline std::string body_of(std::string_view response) {
  const std::size_t at = response.find("\r\n\r\n");
  return at == std::string_view::npos ? "" : std::string(response.substr(at + 4));
}

}  // namespace sandtrail::http::test

TYPE_TO_STRING_AS("plain", sandtrail::http::test::PlainTestServer);
TYPE_TO_STRING_AS("TLS", sandtrail::http::test::TlsTestServer);
TYPE_TO_STRING_AS("plain", sandtrail::http::test::PlainRawServer);
TYPE_TO_STRING_AS("TLS", sandtrail::http::test::TlsRawServer);
