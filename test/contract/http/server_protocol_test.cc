// SPDX-License-Identifier: Apache-2.0
// What the server makes of bytes: framing, methods, versions, and everything it must refuse.
#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

const std::string kHost = "Host: a\r\n";

std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\n" + kHost + std::string(fields) + "\r\n";
}

bool closes(std::string_view response) {
  return response.find("Connection: close\r\n") != std::string_view::npos;
}

}  // namespace

TEST_BOTH_WAYS("a request reaches the handler as it was sent") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(
      "PATCH /echo/a%20b?x=1&y HTTP/1.1\r\nhost: h\r\nX:  v w \r\nContent-Length: 5\r\n\r\nhello");
  const std::string response = socket.receive_response();
  CHECK(response.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(response.find("Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n") != std::string::npos);
  CHECK_FALSE(closes(response));
  CHECK(body_of(response) == "PATCH /echo/a%20b?x=1&y|v w|hello");
  const Request request = server.last_request();
  CHECK(request.target == "/echo/a%20b?x=1&y");
  CHECK(request.peer_address == "127.0.0.1");
}

TEST_BOTH_WAYS("a request may come byte by byte") {
  TestServer server;
  RawSocket socket = server.connect();
  const std::string requests[] = {
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX: trailer\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  };
  const char* bodies[] = {"POST /echo?||abc", "POST /echo?||abc", "POST /echo?||"};
  for (int i = 0; i < 3; ++i) {
    for (const char c : requests[i]) REQUIRE(socket.send(std::string_view(&c, 1)));
    CHECK(body_of(socket.receive_response()) == bodies[i]);
  }
}

TEST_BOTH_WAYS("good requests are answered, and the connection stays or goes as agreed") {
  struct Row {
    const char* name;
    std::string bytes;
    const char* body;
    bool close;
  };
  const Row rows[] = {
      {"plain", get("/echo"), "GET /echo?||", false},
      {"asked to close", get("/echo", "Connection: close\r\n"), "GET /echo?||", true},
      {"close in a list", get("/echo", "Connection: x, Close\r\n"), "GET /echo?||", true},
      {"handler closes", get("/close"), "bye", true},
      {"HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", "GET /echo?||", true},
      {"HTTP/1.0 kept", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /echo?||",
       false},
      {"empty lines before", "\r\n\r\n" + get("/echo"), "GET /echo?||", false},
      {"absolute form", get("http://other:81/echo?q"), "GET /echo?q||", false},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS *?||", false},
      {"empty host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", "GET /echo?||", false},
      {"unknown method", "M-X /echo HTTP/1.1\r\nHost: a\r\n\r\n", "M-X /echo?||", false},
      {"chunks",
       "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
       "A\r\n0123456789\r\n000001\r\n!\r\n0\r\n\r\n",
       "PUT /echo?||0123456789!", false},
      {"trailers are no fields",
       "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\nX: smuggled\r\nHost: b\r\n\r\n",
       "PUT /echo?||", false},
      {"a body nobody expects", "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
       "GET /echo?||x", false},
  };
  TestServer server;
  for (const Row& row : rows) {
    CAPTURE(std::string(row.name));
    RawSocket socket = server.connect();
    socket.send(row.bytes);
    const std::string response = socket.receive_response();
    CHECK(status_of(response) == 200);
    CHECK(body_of(response) == row.body);
    CHECK(closes(response) == row.close);
    if (row.close) {
      CHECK(socket.ended());
    } else {
      socket.send(get("/echo", "X: again\r\n"));
      CHECK(body_of(socket.receive_response()) == "GET /echo?|again|");
    }
  }
}

TEST_BOTH_WAYS("an HTTP/1.0 client that asked for it is told that the connection stays") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(socket.receive_response().find("Connection: keep-alive\r\n") != std::string::npos);
}

namespace {

struct BadRequest {
  const char* name;
  std::string bytes;
  int status;
};
const std::string kPost = "POST /echo HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
const BadRequest kBadRequests[] = {
    {"garbage", "GARBAGE\r\n\r\n", 400},
    {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", 400},
    {"bare CR", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"relative target", get("echo"), 400},
    {"other scheme", get("ftp://a/echo"), 400},
    {"asterisk without OPTIONS", get("*"), 400},
    {"tunnel", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},
    {"blank before colon", get("/echo", "X : 1\r\n"), 400},
    {"field without colon", get("/echo", "X\r\n"), 400},
    {"empty field name", get("/echo", ": 1\r\n"), 400},
    {"folded field", get("/echo", "X: a\r\n b\r\n"), 400},
    {"folded first", "GET /echo HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"NUL in a value", get("/echo", std::string("X: a\0b\r\n", 8)), 400},
    {"NUL in a name", get("/echo", std::string("X\0: a\r\n", 7)), 400},
    {"non-ASCII value", get("/echo", "X: \xc3\xa4\r\n"), 400},
    {"non-ASCII target", get("/\xc3\xa4"), 400},
    {"control in a value", get("/echo", "X: \x01\r\n"), 400},
    {"DEL in a value", get("/echo", "X: \x7f\r\n"), 400},
    {"lengths that differ", kPost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
    {"a length twice", kPost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
    {"a list of lengths", kPost + "Content-Length: 1, 1\r\n\r\na", 400},
    {"negative length", kPost + "Content-Length: -1\r\n\r\n", 400},
    {"signed length", kPost + "Content-Length: +1\r\n\r\na", 400},
    {"hex length", kPost + "Content-Length: 0x1\r\n\r\na", 400},
    {"empty length", kPost + "Content-Length:\r\n\r\n", 400},
    {"length over 64 bits", kPost + "Content-Length: 18446744073709551617\r\n\r\na", 400},
    {"length and chunked", kPost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked and length", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
    {"chunked twice", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"chunked, chunked", kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
    {"gzip", kPost + "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"gzip, chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"identity", kPost + "Transfer-Encoding: identity\r\n\r\n", 501},
    {"chunked with a tail", kPost + "Transfer-Encoding: chunked;q=1\r\n\r\n", 501},
    {"xchunked", kPost + "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"empty coding", kPost + "Transfer-Encoding:\r\n\r\n", 501},
    {"chunked by HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"chunk size no number", kChunked + "x\r\n", 400},
    {"negative chunk size", kChunked + "-1\r\n", 400},
    {"chunk size over 64 bits", kChunked + "fffffffffffffffff\r\n", 400},
    {"chunk longer than said", kChunked + "1\r\nab\r\n0\r\n\r\n", 400},
    {"chunk line with bare LF", kChunked + "1\na\r\n0\r\n\r\n\r\n", 400},
    {"length in a trailer", kChunked + "0\r\nContent-Length: 5\r\n\r\n", 400},
    {"unknown expectation", kPost + "Expect: the worst\r\n\r\n", 417},
};

}  // namespace

TEST_BOTH_WAYS("bad requests get an error of the server's own and an end, never the handler") {
  TestServer server;
  for (const BadRequest& row : kBadRequests) {
    CAPTURE(std::string(row.name));
    RawSocket socket = server.connect();
    socket.send(row.bytes);
    const std::string response = socket.receive_all();
    CHECK(status_of(response) == row.status);
    CHECK(closes(response));
  }
  CHECK(server.last_request().method.empty());
  RawSocket socket = server.connect();
  socket.send(get("/echo"));
  CHECK(status_of(socket.receive_response()) == 200);
}

TEST_BOTH_WAYS("what the server says of itself has the caller's form") {
  ServerOptions options;
  options.reject = [](int status, std::string detail) {
    Response out;
    out.status = status;
    out.fields.add("Content-Type", "application/problem+json");
    out.body = "{" + detail + "}";
    return out;
  };
  TestServer server(1, options);
  RawSocket socket = server.connect();
  socket.send("GET / HTTP/1.1\r\n\r\n");
  const std::string response = socket.receive_all();
  CHECK(response.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(response.find("application/problem+json") != std::string::npos);
  CHECK(body_of(response) == "{a request has exactly one Host field}");
}

TEST_BOTH_WAYS("pipelined requests are answered one by one in their order") {
  TestServer server;
  RawSocket socket = server.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += get("/echo?" + std::to_string(i));
  all += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + get("/hold") +
         get("/echo?last");
  socket.send(all);
  for (int i = 0; i < 50; ++i) {
    CHECK(body_of(socket.receive_response()) == "GET /echo?" + std::to_string(i) + "||");
  }
  CHECK(body_of(socket.receive_response()) == "POST /echo?||hi");
  const auto held = server.take_held();
  CHECK(server.last_request().path == "/hold");
  Response response;
  response.body = "held";
  held->respond(response);
  CHECK(body_of(socket.receive_response()) == "held");
  CHECK(body_of(socket.receive_response()) == "GET /echo?last||");
}

TEST_BOTH_WAYS("more pipelined bytes than one read are not lost") {
  TestServer server;
  RawSocket socket = server.connect();
  std::string all;
  const std::string padding(1000, 'p');
  for (int i = 0; i < 300; ++i) all += get("/echo?" + std::to_string(i), "Y: " + padding + "\r\n");
  std::thread sender([&] { socket.send(all); });
  int right = 0;
  for (int i = 0; i < 300; ++i) {
    right += body_of(socket.receive_response()) == "GET /echo?" + std::to_string(i) + "||";
  }
  sender.join();
  CHECK(right == 300);
}

TEST_BOTH_WAYS("HEAD has the head of GET and no body, and 204 has neither") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n" + get("/204") +
              "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/echo"));
  const std::string head = socket.receive_response(false);
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("Content-Length: 13\r\n") != std::string::npos);
  const std::string empty = socket.receive_response(false);
  CHECK(empty.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(empty.find("Content-Length") == std::string::npos);
  const std::string streamed = socket.receive_response(false);
  CHECK(streamed.starts_with("HTTP/1.1 200 OK\r\n"));
  const auto stream = server.take_stream();
  Counter closed;
  stream->on_closed(closed.callback());
  CHECK(eventually([&] { return closed.count() == 1; }));
  CHECK_FALSE(stream->write("x"));
  CHECK(body_of(socket.receive_response()) == "GET /echo?||");
}

TEST_BOTH_WAYS("100 Continue is said to those who wait for it") {
  TestServer server;
  RawSocket socket = server.connect();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n";
  socket.send(head + "Content-Length: 5\r\n\r\n");
  CHECK(socket.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("hello");
  CHECK(body_of(socket.receive_response()) == "POST /echo?||hello");
  socket.send(head + "Transfer-Encoding: chunked\r\n\r\n");
  CHECK(socket.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("1\r\nx\r\n0\r\n\r\n");
  CHECK(body_of(socket.receive_response()) == "POST /echo?||x");
  // Not to those who did not wait, have no body, or speak HTTP/1.0.
  socket.send(head + "Content-Length: 2\r\n\r\nhi");
  CHECK(body_of(socket.receive_response()) == "POST /echo?||hi");
  socket.send(head + "\r\n");
  CHECK(status_of(socket.receive_response()) == 200);
  socket.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  socket.send("ok");
  CHECK(body_of(socket.receive_response()) == "POST /echo?||ok");
}

TEST_BOTH_WAYS("a refused body is not asked for") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(limits::kHttpBodyBytesMax + 1) + "\r\n\r\n");
  CHECK(status_of(socket.receive_all()) == 413);
}

TEST_BOTH_WAYS("an answer that could split the message is replaced") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(get("/split"));
  const std::string response = socket.receive_response();
  CHECK(status_of(response) == 500);
  CHECK(response.find("Set-Cookie") == std::string::npos);
}

TEST_BOTH_WAYS("a handler that drops its request or throws has answered 500") {
  TestServer server;
  RawSocket socket = server.connect();
  for (const char* path : {"/drop", "/throw"}) {
    socket.send(get(path));
    CHECK(status_of(socket.receive_response()) == 500);
  }
  socket.send(get("/echo"));
  CHECK(status_of(socket.receive_response()) == 200);
}

TEST_BOTH_WAYS("only the first answer counts") {
  TestServer server;
  RawSocket socket = server.connect();
  socket.send(get("/hold"));
  const auto held = server.take_held();
  Response first, second;
  first.body = "first";
  second.body = "second";
  held->respond(first);
  held->respond(second);
  const auto stream = held->start_stream({});
  CHECK_FALSE(stream->write("x"));
  Counter closed;
  stream->on_closed(closed.callback());
  CHECK(closed.count() == 1);
  CHECK(body_of(socket.receive_response()) == "first");
  socket.send(get("/echo"));
  CHECK(body_of(socket.receive_response()) == "GET /echo?||");
}
