// SPDX-License-Identifier: Apache-2.0
// The client against peers that fail, lie or stall, and against addresses it must not reach.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/limits.h"
#include "test_client.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Sends one piece again and again until the peer has enough.
void flood(RawSocket& socket, const std::string& piece) {
  while (socket.send(piece)) {
  }
}

}  // namespace

TEST_RAW_BOTH_WAYS("a peer that breaks off or talks nonsense is unavailable") {
  struct Row {
    std::string name;
    std::string response;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"half a status line", "HTTP/1.1 20"},
      {"half a head", "HTTP/1.1 200 OK\r\nX: y\r\n"},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"},
      {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
      {"no end of trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"HTTP/2", "HTTP/2 200 OK\r\n\r\n"},
      {"no status", "HTTP/1.1 OK\r\n\r\n"},
      {"status 999", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n"},
      {"status 000", "HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n"},
      {"switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
      {"length and chunked",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx"},
      {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
      {"bad field", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server([&](RawSocket& socket, int) {
      socket.receive_until("\r\n\r\n");
      socket.send(row.response);
    });
    const auto client = client_with(open_options());
    CHECK(name_of_result(call(*client, request_to(server.url()))) == "unavailable");
    CHECK(server.connections() == 1);  // never tried twice on a fresh connection
  }
}

TEST_RAW_BOTH_WAYS("endless input ends at its limit") {
  struct Row {
    std::string name;
    std::string begin;
    std::string piece;
  };
  const std::string kilobyte(1024, 'x');
  const Row rows[] = {
      {"head", "HTTP/1.1 200 OK\r\n", "X: " + kilobyte + "\r\n"},
      {"fields", "HTTP/1.1 200 OK\r\n", "X: 1\r\n"},
      {"status line", "HTTP/1.1 200 ", kilobyte},
      {"interim responses", "", "HTTP/1.1 102 Processing\r\n\r\n"},
      {"body to the end", "HTTP/1.1 200 OK\r\n\r\n", kilobyte},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400\r\n" + kilobyte + "\r\n"},
      {"chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", kilobyte},
      {"trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
       "X: " + kilobyte + "\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server([&](RawSocket& socket, int) {
      socket.receive_until("\r\n\r\n");
      socket.send(row.begin);
      flood(socket, row.piece);
    });
    const auto client = client_with(open_options());
    CHECK(name_of_result(call(*client, request_to(server.url()))) == "unavailable");
  }
}

TEST_RAW_BOTH_WAYS("the time-out covers every kind of stalling") {
  struct Row {
    std::string name;
    std::string response;
    bool drips;
  };
  const Row rows[] = {
      {"says nothing", "", false},
      {"stops within the head", "HTTP/1.1 200 OK\r\nX:", false},
      {"stops within the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", false},
      {"drips the head", "HTTP/1.1 200 OK\r\nX: ", true},
      {"drips the body", "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server([&](RawSocket& socket, int) {
      socket.receive_until("\r\n\r\n");
      socket.send(row.response);
      while (row.drips && socket.send("y")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      socket.ended();
    });
    const auto client = client_with(open_options());
    ClientRequest request = request_to(server.url());
    request.timeout = Millis{100};
    CHECK(name_of_result(call(*client, request)) == "timeout");
  }
}

TEST_RAW_BOTH_WAYS("a peer that takes no request body is a time-out") {
  std::atomic<bool> over{false};
  RawServer server([&](RawSocket&, int) { eventually([&] { return over.load(); }); });
  const auto client = client_with(open_options());
  ClientRequest request = request_to(server.url(), "POST", Bytes(32u << 20, 'b'));
  request.timeout = Millis{100};
  CHECK(name_of_result(call(*client, request)) == "timeout");
  over = true;
}

TEST_CASE("nobody there is unavailable") {
  std::uint16_t port = 0;
  {
    RawServer server([](RawSocket&, int) {});
    port = server.port();
  }
  const auto client = client_with(open_options());
  const auto result = call(*client, request_to("http://127.0.0.1:" + std::to_string(port)));
  CHECK(name_of_result(result) == "unavailable");
  CHECK(result.error().retryable());
}

TEST_RAW_BOTH_WAYS("a kept connection that the peer has closed is replaced, whatever the method") {
  for (const bool reset : {false, true}) {
    CAPTURE(reset);
    // Each connection takes one request; the next request on it finds an end instead of an answer.
    RawServer server([&](RawSocket& socket, int n) {
      socket.receive_until("\r\n\r\n");
      socket.send(kOk);
      if (n > 0) return (void)socket.ended();
      if (socket.receive_until("\r\n\r\n").empty()) return;
      if (reset) socket.reset();
    });
    const auto client = client_with(open_options());
    CHECK(name_of_result(call(*client, request_to(server.url()))) == "200");
    CHECK(name_of_result(call(*client, request_to(server.url(), "POST", "once"))) == "200");
    CHECK(server.connections() == 2);
  }
}

TEST_RAW_BOTH_WAYS("a request is not repeated once a byte of its answer has come") {
  RawServer server([&](RawSocket& socket, int) {
    socket.receive_until("\r\n\r\n");
    socket.send(kOk);
    socket.receive_until("\r\n\r\n");
    socket.send("H");
  });
  const auto client = client_with(open_options());
  CHECK(name_of_result(call(*client, request_to(server.url()))) == "200");
  CHECK(name_of_result(call(*client, request_to(server.url()))) == "unavailable");
  CHECK(server.connections() == 1);
}

TEST_RAW_BOTH_WAYS("a request is repeated only once") {
  RawServer server([&](RawSocket& socket, int n) {
    socket.receive_until("\r\n\r\n");
    if (n > 0) return;
    socket.send(kOk);
    socket.receive_until("\r\n\r\n");
  });
  const auto client = client_with(open_options());
  CHECK(name_of_result(call(*client, request_to(server.url()))) == "200");
  CHECK(name_of_result(call(*client, request_to(server.url()))) == "unavailable");
  CHECK(server.connections() == 2);
}

TEST_RAW_BOTH_WAYS("an idle connection is not reused once it said something or is too old") {
  std::atomic<bool> said{false};
  RawServer server([&](RawSocket& socket, int n) {
    while (!socket.receive_until("\r\n\r\n").empty()) {
      socket.send(kOk);
      if (n == 0) socket.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
      said = true;
    }
  });
  ClientOptions options = open_options();
  const auto clock = std::make_shared<ManualClock>();
  options.clock = clock;
  const auto client = client_with(options);
  for (int i = 0; i < 3; ++i) {
    const auto result = call(*client, request_to(server.url()));
    REQUIRE(result.ok());
    CHECK(result->body == "ok");
    REQUIRE(eventually([&] { return said.load(); }));
  }
  const int before = server.connections();
  CHECK(before == 2);
  clock->advance(Millis{limits::kHttpClientKeptIdleMax.count + 1000});
  CHECK(call(*client, request_to(server.url()))->body == "ok");
  CHECK(server.connections() == before + 1);
  // Busy, but made too long ago: its name may point elsewhere by now.
  for (int i = 0; i < 20; ++i) {
    clock->advance(Millis{limits::kHttpClientKeptIdleMax.count - 1000});
    CHECK(call(*client, request_to(server.url())).ok());
  }
  CHECK(server.connections() >= before + 2);
  CHECK(server.connections() <= before + 4);
}

TEST_CASE("forbidden addresses are never connected to, whatever they are called") {
  RawServer server([](RawSocket& socket, int) { socket.send(kOk); });
  const std::string port = ":" + std::to_string(server.port()) + "/";
  ClientOptions options;
  const auto client = client_with(options);
  for (const char* host : {"127.0.0.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]", "0.0.0.0", "[::]", "127.8.8.8", "10.0.0.1",
                           "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]"}) {
    CAPTURE(std::string(host));
    const auto result = call(*client, request_to("http://" + std::string(host) + port));
    CHECK(name_of_result(result) == "denied");
    CHECK_FALSE(result.error().retryable());
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("an excepted range can be connected to, by name as well") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_until("\r\n\r\n");
    socket.send(kOk);
  });
  const std::string port = ":" + std::to_string(server.port()) + "/";
  ClientOptions options;
  options.policy.allow_cidrs = {"127.0.0.0/8", "::1/128"};
  const auto client = client_with(options);
  CHECK(name_of_result(call(*client, request_to("http://127.0.0.1" + port))) == "200");
  // The name may also have ::1, where nobody listens: the next address is tried.
  CHECK(name_of_result(call(*client, request_to("http://localhost" + port))) == "200");
  CHECK(name_of_result(call(*client, request_to("http://10.0.0.1" + port))) == "denied");
}

TEST_CASE("if one address of a name is forbidden, all are, and a name is asked for once") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_until("\r\n\r\n");
    socket.send(kOk);
  });
  struct Row {
    std::string name;
    std::vector<std::string> addresses;
    std::string result;
  };
  // 127.1.1.1 is excepted, 127.0.0.1 (where the server is) only as /32, 127.2.2.2 is not.
  const Row rows[] = {
      {"all allowed", {"127.0.0.1"}, "200"},
      {"first refuses, second answers", {"127.1.1.1", "127.0.0.1"}, "200"},
      {"forbidden last", {"127.0.0.1", "127.2.2.2"}, "denied"},
      {"forbidden first", {"127.2.2.2", "127.0.0.1"}, "denied"},
      {"forbidden beyond those tried",
       {"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1",
        "127.0.0.1", "127.0.0.1", "10.0.0.1"},
       "denied"},
      {"forbidden in other clothes", {"::ffff:127.2.2.2"}, "denied"},
      {"no address", {}, "unavailable"},
      {"nonsense", {"127.0.0.1 "}, "denied"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::atomic<int> asked{0};
    ClientOptions options;
    options.policy.allow_cidrs = {"127.0.0.1/32", "127.1.1.1/32"};
    options.look_up = [&](const std::string& host) -> Result<std::vector<std::string>> {
      // A second answer would lead elsewhere, as in DNS rebinding.
      if (asked++ > 0 || host != "hook.example") return std::vector<std::string>{"127.2.2.2"};
      return row.addresses;
    };
    const int before = server.connections();
    const auto client = client_with(options);
    const std::string url = "http://hook.example:" + std::to_string(server.port()) + "/";
    CHECK(name_of_result(call(*client, request_to(url))) == row.result);
    CHECK(asked == 1);
    CHECK(server.connections() == before + (row.result == "200" ? 1 : 0));
  }
}

TEST_CASE("a name server that does not answer holds up neither other names nor the end") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_until("\r\n\r\n");
    socket.send(kOk);
  });
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    int waiting = 0;
  };
  const auto gate = std::make_shared<Gate>();
  Pending cancelled;
  {
    ClientOptions options = open_options();
    options.look_up = [gate](const std::string& host) -> Result<std::vector<std::string>> {
      if (host == "fast.example") return std::vector<std::string>{"127.0.0.1"};
      std::unique_lock lock(gate->mutex);
      ++gate->waiting;
      gate->changed.wait(lock, [&] { return gate->open; });
      --gate->waiting;
      return std::vector<std::string>{"127.0.0.1"};
    };
    const auto client = client_with(options);
    const std::string port = ":" + std::to_string(server.port()) + "/";
    client->send(request_to("http://stuck.example" + port), cancelled.done());
    ClientRequest slow = request_to("http://slow.example" + port);
    slow.timeout = Millis{50};
    CHECK(name_of_result(call(*client, slow)) == "timeout");
    CHECK(name_of_result(call(*client, request_to("http://fast.example" + port))) == "200");
  }
  CHECK(name_of_result(cancelled.wait()) == "cancelled");
  const std::unique_lock lock(gate->mutex);
  CHECK(gate->waiting == 2);
  gate->open = true;
  gate->changed.notify_all();
}

TEST_CASE("a name that does not exist is unavailable") {
  const auto client = client_with(open_options());
  CHECK(name_of_result(call(*client, request_to("http://no-such-host.invalid/"))) == "unavailable");
}

TEST_CASE("malformed requests and options are refused") {
  const auto client = client_with(open_options());
  ClientRequest request = request_to("http://127.0.0.1/");
  request.fields.add("X", "a\r\nb");
  CHECK(name_of_result(call(*client, request)) == "invalid_argument");
  CHECK(name_of_result(call(*client, ClientRequest{})) == "invalid_argument");
  ClientOptions options;
  options.policy.allow_cidrs = {"10.0.0.0/8", "10.0.0/8"};
  CHECK(make_client(options).error().code == ErrorCode::invalid_argument);
  options = {};
  options.threads = 0;
  CHECK(make_client(options).error().code == ErrorCode::invalid_argument);
  options = {};
  options.ca_file = "/nonexistent/ca.pem";
  CHECK(make_client(options).error().code == ErrorCode::not_found);
  options.ca_file = "/dev/null";
  CHECK(make_client(options).error().code == ErrorCode::corrupt);
}
