// SPDX-License-Identifier: Apache-2.0
// The store over S3 against a service that stalls, and with more callers than connections.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "s3_peer.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Holds every request until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --waiting_;
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(http::test::kPatienceMs),
                             [&] { return waiting_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

// The defaults would make a test take minutes.
void short_times(S3ObjectStoreOptions& options) {
  options.call_timeout = seconds(1);
}

const std::string kLongHead = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";

// Sends a piece each 50 ms until the peer has enough.
void drip(RawSocket& socket, const std::string& piece) {
  while (socket.send(piece)) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace

TEST_CASE("a service that stalls makes the call unavailable when its time is up") {
  struct Row {
    std::string name;
    std::function<void(RawSocket&)> act;
  };
  const Row rows[] = {
      {"no answer", [](RawSocket& socket) { receive_request(socket); }},
      {"half a head",
       [](RawSocket& socket) {
         receive_request(socket);
         socket.send("HTTP/1.1 200 OK\r\nContent-Le");
       }},
      {"half a body",
       [](RawSocket& socket) {
         receive_request(socket);
         socket.send(kLongHead + "abc");
       }},
      {"a byte now and then",
       [](RawSocket& socket) {
         receive_request(socket);
         socket.send(kLongHead);
         drip(socket, "x");
       }},
      {"an endless answer that does not stall",
       [](RawSocket& socket) {
         receive_request(socket);
         socket.send("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n");
         drip(socket, "1\r\nx\r\n");
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server([&](RawSocket& socket, int) {
      row.act(socket);
      socket.ended();
    });
    PeerStore peer(server.url(""), short_times);
    CHECK(outcome(peer.store->get("a")) == "unavailable");
    CHECK(server.connections() >= 1);
  }
}

TEST_CASE("a request that stalls is given up, and repeated while there is time") {
  RawServer server([&](RawSocket& socket, int n) {
    receive_request(socket);
    socket.send(n == 0 ? kLongHead + "abc" : s3_response("200 OK", "abc"));
    socket.ended();
  });
  PeerStore peer(server.url(""),
                 [](S3ObjectStoreOptions& options) { options.stall_timeout = seconds(1); });
  CHECK(outcome(peer.store->get("a")) == "ok");
  CHECK(server.connections() == 2);
}

TEST_CASE("a service that does not read makes a put unavailable when its time is up") {
  std::atomic<bool> over = false;
  RawServer server([&](RawSocket& socket, int) {
    const std::string head = socket.receive_until("\r\n\r\n");
    if (head.find("sandtrail-if-none-match") != std::string::npos) {
      socket.send(s3_error("412 Precondition Failed", "PreconditionFailed"));
    }
    eventually([&] { return over.load(); });
  });
  PeerStore peer(server.url(""), short_times);
  CHECK(outcome(peer.store->put("a", Bytes(limits::kObjectBytesMax, 'x'))) == "unavailable");
  over = true;
}

TEST_CASE("more callers than connections wait their turn") {
  constexpr int kCallers = static_cast<int>(limits::kS3ConnectionsMax) + 8;
  Gate gate;
  std::atomic<int> served = 0;
  RawServer server(answering([&](const S3Request&, int) {
    gate.pass();
    ++served;
    return s3_response("200 OK", "abc");
  }));
  PeerStore peer(server.url(""));
  std::atomic<int> well = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] { well += peer.store->get("a").ok() ? 1 : 0; });
  }
  CHECK(gate.wait_for(static_cast<int>(limits::kS3ConnectionsMax)));
  gate.open();
  for (auto& caller : callers) caller.join();
  CHECK(well == kCallers);
  CHECK(served == kCallers);
  CHECK(server.connections() == static_cast<int>(limits::kS3ConnectionsMax));
}
