// SPDX-License-Identifier: Apache-2.0
// The store over S3 against a service that lies, breaks off or refuses. None of it stalls here.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/limits.h"
#include "crypto/digest.h"
#include "s3_peer.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const std::string kDigest = "x-amz-meta-sandtrail-sha256: ";

// Takes one request, sends the bytes, and closes.
RawServer::Script sending(const std::string& bytes) {
  return [bytes](RawSocket& socket, int) {
    receive_request(socket);
    socket.send(bytes);
  };
}

// The same, then one piece again and again until the peer has enough.
RawServer::Script flooding(const std::string& begin, const std::string& piece) {
  return [begin, piece](RawSocket& socket, int) {
    receive_request(socket);
    if (!socket.send(begin)) return;
    while (socket.send(piece)) {
    }
  };
}

std::string get_from(const RawServer& server) {
  PeerStore peer(server.url(""));
  return outcome(peer.store->get("a"));
}

// The answer to the second and later puts of the probe, and to everything else what `answer` says.
RawServer::Script conditional(std::function<std::string(const S3Request&, int)> answer) {
  auto count = std::make_shared<std::atomic<int>>(0);
  return answering([answer = std::move(answer), count](const S3Request& request, int) {
    if (request.line().find("/sandtrail-if-none-match ") != std::string::npos) {
      return s3_error("412 Precondition Failed", "PreconditionFailed");
    }
    return answer(request, (*count)++);
  });
}

}  // namespace

TEST_CASE("what breaks off, makes no sense or may pass is unavailable, after all tries") {
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
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
      {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
      {"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx"},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"slow down", s3_error("503 Slow Down", "SlowDown")},
      {"internal error", s3_error("500 Internal Server Error", "InternalError")},
      {"too many", s3_response("429 Too Many Requests")},
      {"bad gateway", s3_response("502 Bad Gateway", "<html>")},
      {"request timeout", s3_error("400 Bad Request", "RequestTimeout")},
      {"aborted", s3_error("409 Conflict", "OperationAborted")},
      {"no bucket", s3_error("404 Not Found", "NoSuchBucket")},
      {"not found by something else", s3_response("404 Not Found", "<html>no such page</html>")},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server(sending(row.response));
    CHECK(get_from(server) == "unavailable");
    CHECK(server.connections() == limits::kS3TriesMax);
  }
}

TEST_CASE("what will not pass is said at the first try") {
  struct Row {
    std::string response;
    std::string code;
  };
  const Row rows[] = {
      {s3_error("404 Not Found", "NoSuchKey"), "not_found"},
      {s3_error("403 Forbidden", "AccessDenied"), "denied"},
      {s3_response("403 Forbidden"), "denied"},
      {s3_error("403 Forbidden", "SignatureDoesNotMatch"), "denied"},
      {s3_error("403 Forbidden", "QuotaExceeded"), "disk_full"},
      {s3_response("204 No Content"), "internal"},
      {s3_response("206 Partial Content", "abc"), "internal"},
      {s3_response("418 I'm a teapot"), "internal"},
      {"HTTP/1.1 200 OK\r\n\r\nwhere does it end", "unavailable"},
      {s3_response("200 OK", "abc", kDigest + hex(sha256("abd")) + "\r\n"), "corrupt"},
      {s3_response("200 OK", "abc", kDigest + "abc\r\n"), "corrupt"},
      {s3_response("200 OK", "abc", kDigest + hex(sha256("abc")) + "\r\n"), "ok"},
      {s3_response("200 OK", "abc"), "ok"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "ok"},
      {"HTTP/1.1 100 Continue\r\n\r\n" + s3_response("200 OK", "abc"), "ok"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.response);
    RawServer server(sending(row.response));
    CHECK(get_from(server) == row.code);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("endless input ends at its limit") {
  struct Row {
    std::string name;
    std::string begin;
    std::string piece;
    std::string code;
  };
  const std::string kilobyte(1024, 'x');
  const std::string chunked = "\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "400\r\n" + kilobyte + "\r\n";
  const Row rows[] = {
      {"an announced object", "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", kilobyte,
       "corrupt"},
      {"a huge announced object", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n",
       kilobyte, "corrupt"},
      {"an object in chunks", "HTTP/1.1 200 OK" + chunked, chunk, "corrupt"},
      {"an error in chunks", "HTTP/1.1 500 Oh" + chunked, chunk, "unavailable"},
      {"an error with a code",
       "HTTP/1.1 404 No" + chunked + "1e\r\n<Error><Code>NoSuchKey</Code>x\r\n", chunk,
       "not_found"},
      {"head", "HTTP/1.1 200 OK\r\n", "X: " + kilobyte + "\r\n", "unavailable"},
      {"status line", "HTTP/1.1 200 ", kilobyte, "unavailable"},
      {"interim answers", "", "HTTP/1.1 102 Processing\r\n\r\n", "unavailable"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RawServer server(flooding(row.begin, row.piece));
    CHECK(get_from(server) == row.code);
  }
}

TEST_CASE("a redirect is refused, and nobody else hears of the request") {
  RawServer other(sending(s3_response("200 OK", "abc")));
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect",
                             "308 Permanent Redirect"}) {
    CAPTURE(status);
    const std::string location = "Location: " + other.url("/bucket/p/a") + "\r\n";
    RawServer server(answering([&](const S3Request&, int) {
      return s3_response(status, "", location + "x-amz-bucket-region: eu-north-1\r\n");
    }));
    PeerStore peer(server.url(""));
    const auto result = peer.store->get("a");
    CHECK(outcome(result) == "invalid_argument");
    CHECK(result.error().hint.find("eu-north-1") != std::string::npos);
    CHECK(outcome(peer.store->put("a", "x")) == "invalid_argument");
    CHECK(outcome(peer.store->remove("a")) == "invalid_argument");
  }
  CHECK(other.connections() == 0);
}

TEST_CASE("what fails twice and then goes well is well") {
  RawServer server(conditional([](const S3Request& request, int n) {
    if (n % 3 != 2) return s3_error("503 Slow Down", "SlowDown");
    return request.line().starts_with("GET") ? s3_response("200 OK", "abc") : s3_response("200 OK");
  }));
  PeerStore peer(server.url(""));
  CHECK(outcome(peer.store->put("a", "abc")) == "ok");
  CHECK(*peer.store->get("a") == "abc");
  CHECK(outcome(peer.store->remove("a")) == "ok");
}

TEST_CASE("a put whose answer was lost is well if the object is there, and a conflict if not") {
  for (const std::string& found : {std::string("abc"), std::string("abd")}) {
    RawServer server([&](RawSocket& socket, int n) {
      for (;;) {
        const S3Request request = receive_request(socket);
        const bool probe = request.line().find("/sandtrail-if-none-match ") != std::string::npos;
        if (request.line().starts_with("PUT") && !probe && n == 0) return;  // done, but not said
        socket.send(request.line().starts_with("PUT")
                        ? s3_error("412 Precondition Failed", "PreconditionFailed")
                        : s3_response("200 OK", found));
        if (request.head.empty()) return;
      }
    });
    PeerStore peer(server.url(""));
    CHECK(outcome(peer.store->put("a", "abc")) == (found == "abc" ? "ok" : "conflict"));
  }
}

TEST_CASE("a taken name whose object is gone when it is looked at can be tried again") {
  RawServer server(conditional([](const S3Request& request, int) {
    return request.line().starts_with("PUT") ? s3_error("412 Precondition Failed", "X")
                                             : s3_error("404 Not Found", "NoSuchKey");
  }));
  PeerStore peer(server.url(""));
  CHECK(outcome(peer.store->put("a", "abc")) == "unavailable");
}

TEST_CASE("a put that is refused before it was read is refused") {
  RawServer server([](RawSocket& socket, int) {
    const std::string head = socket.receive_until("\r\n\r\n");
    socket.send(s3_error("403 Forbidden", "AccessDenied"));
    socket.shutdown_write();
    while (!socket.receive_some().empty()) {
    }
  });
  PeerStore peer(server.url(""));
  const Status status = peer.store->put("a", Bytes(limits::kObjectBytesMax, 'x'));
  CHECK(outcome(status) == "denied");
  CHECK(status.error().hint.find("s3:ListBucket") != std::string::npos);
}

TEST_CASE("connections are kept, and a kept one that died is replaced without a word") {
  std::atomic<int> requests = 0;
  RawServer server([&](RawSocket& socket, int n) {
    for (int i = 0; i < (n == 0 ? 3 : 1'000'000); ++i) {
      const S3Request request = receive_request(socket);
      if (request.head.empty()) return;
      ++requests;
      socket.send(s3_response("200 OK", "abc"));
    }
  });
  PeerStore peer(server.url(""));
  for (int i = 0; i < 6; ++i) CHECK(outcome(peer.store->get("a")) == "ok");
  CHECK(server.connections() == 2);
  CHECK(requests == 6);
}

TEST_CASE("an answer whose head is cut says nothing") {
  RawServer server([](RawSocket& socket, int) {
    receive_request(socket);
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
  });
  PeerStore peer(server.url(""));
  CHECK(outcome(peer.store->get("a")) == "unavailable");
  CHECK(outcome(peer.store->remove("a")) == "unavailable");
  CHECK(outcome(peer.store->put("a", "x")) == "unavailable");
}

TEST_CASE("nobody there is unavailable and says where") {
  std::string url;
  {
    RawServer gone([](RawSocket&, int) {});
    url = gone.url("");
  }
  PeerStore peer(url);
  const auto result = peer.store->get("a");
  CHECK(outcome(result) == "unavailable");
  CHECK(result.error().message.find(url) != std::string::npos);
  CHECK(result.error().hint.find("objects.endpoint") != std::string::npos);
}

TEST_CASE("a service that has no conditional writes is noticed, said once, and used with care") {
  for (const char* answer : {"200 OK", "501 Not Implemented"}) {
    CAPTURE(answer);
    std::atomic<int> notices = 0;
    std::vector<std::string> lines;
    RawServer server(answering([&](const S3Request& request, int) {
      lines.push_back(request.line().substr(0, request.line().rfind(' ')));
      if (request.line().starts_with("GET")) return s3_error("404 Not Found", "NoSuchKey");
      if (!request.field("if-none-match").empty()) return s3_response(answer);
      return s3_response("200 OK");
    }));
    PeerStore peer(server.url(""), [&](S3ObjectStoreOptions& options) {
      options.on_notice = [&](const std::string& text) {
        ++notices;
        CHECK(text.find("If-None-Match") != std::string::npos);
      };
    });
    CHECK(outcome(peer.store->put("a", "x")) == "ok");
    CHECK(outcome(peer.store->put("b", "x")) == "ok");
    CHECK(notices == 1);
    std::vector<std::string> expected(answer[0] == '2' ? 2 : 1,
                                      "PUT /bucket/p/sandtrail-if-none-match");
    for (const char* line :
         {"GET /bucket/p/a", "PUT /bucket/p/a", "GET /bucket/p/b", "PUT /bucket/p/b"}) {
      expected.emplace_back(line);
    }
    CHECK(lines == expected);
  }
}

TEST_CASE("a service whose conditional writes could not be tried is asked again") {
  std::atomic<bool> down = true;
  RawServer server(answering([&](const S3Request&, int) {
    return down ? s3_response("503 Slow Down") : s3_response("412 Precondition Failed");
  }));
  PeerStore peer(server.url(""));
  CHECK(outcome(peer.store->put("a", "x")) == "unavailable");
  down = false;
  // Taken, and then not to be read: but conditional.
  CHECK(outcome(peer.store->put("a", "x")) == "internal");
}

TEST_CASE("that a service is away, and that it is back, is told once each") {
  std::atomic<bool> down = true;
  RawServer server(answering([&](const S3Request&, int) {
    return down ? s3_response("503 Slow Down") : s3_response("200 OK", "abc");
  }));
  std::vector<std::string> notices;
  PeerStore peer(server.url(""), [&](S3ObjectStoreOptions& options) {
    options.on_notice = [&](const std::string& text) { notices.push_back(text); };
  });
  for (int i = 0; i < 2; ++i) CHECK(outcome(peer.store->get("a")) == "unavailable");
  down = false;
  for (int i = 0; i < 2; ++i) CHECK(outcome(peer.store->get("a")) == "ok");
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find("cannot read object a: the S3 service answered 503") != std::string::npos);
  CHECK(notices[1] == "the S3 service answers again");
}

TEST_CASE("the environment's proxy is not asked") {
  RawServer server(sending(s3_response("200 OK", "abc")));
  RawServer proxy(sending(s3_response("200 OK", "proxied")));
  REQUIRE(::setenv("http_proxy", proxy.url("").c_str(), 1) == 0);
  CHECK(get_from(server) == "ok");
  REQUIRE(::unsetenv("http_proxy") == 0);
  CHECK(server.connections() == 1);
  CHECK(proxy.connections() == 0);
}

TEST_CASE("programs that the process starts do not inherit a connection") {
  RawServer server(answering([](const S3Request&, int) { return s3_response("200 OK", "abc"); }));
  PeerStore peer(server.url(""));
  REQUIRE(outcome(peer.store->get("a")) == "ok");
  int found = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) continue;
    if (address.sin_family != AF_INET || ntohs(address.sin_port) != server.port()) continue;
    ++found;
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(found == 1);
}

TEST_CASE("what is sent is one signed request for the object's key, and nothing of the secret") {
  S3Request seen;
  RawServer server(conditional([&](const S3Request& request, int) {
    seen = request;
    return s3_response("200 OK");
  }));
  const std::string port = std::to_string(server.port());
  const ManualClock clock;
  const auto change = [](S3ObjectStoreOptions& options) {
    options.addressing = S3Addressing::virtual_host;
    options.location.prefix = "a b/\xc3\xa4+";
  };
  PeerStore peer("http://localhost:" + port, change, &clock);
  REQUIRE(outcome(peer.store->put("x", "abc")) == "ok");
  CHECK(seen.line() == "PUT /a%20b/%C3%A4%2B/x HTTP/1.1");
  CHECK(seen.field("host") == "bucket.localhost:" + port);
  CHECK(seen.field("content-length") == "3");
  CHECK(seen.body == "abc");
  CHECK(seen.field("expect").empty());
  CHECK(seen.field("if-none-match") == "*");
  CHECK(seen.field("x-amz-date") == "20231114T221320Z");
  CHECK(seen.field("x-amz-content-sha256") == hex(sha256("abc")));
  CHECK(seen.field("x-amz-security-token") == kPeerToken);
  CHECK(seen.field("authorization")
            .starts_with("AWS4-HMAC-SHA256 Credential=KEYID/20231114/us-east-1/s3/aws4_request, "
                         "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;"
                         "x-amz-meta-sandtrail-sha256;x-amz-security-token, Signature="));
  CHECK(seen.head.find(kPeerSecret) == std::string::npos);
}
