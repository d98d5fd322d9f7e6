// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "http/client.h"

using namespace sandtrail;
using namespace sandtrail::http;

TEST_CASE("an absolute URL is taken apart and put together again") {
  struct Row {
    const char* text;
    const char* scheme;
    const char* host;
    int port;
    const char* target;
    const char* normal;
  };
  const Row rows[] = {
      {"http://a", "http", "a", 80, "/", "http://a/"},
      {"HTTPS://Example.COM/Hook", "https", "example.com", 443, "/Hook",
       "https://example.com/Hook"},
      {"https://a:443/", "https", "a", 443, "/", "https://a/"},
      {"https://a:80/x", "https", "a", 80, "/x", "https://a:80/x"},
      {"http://a?q=1", "http", "a", 80, "/?q=1", "http://a/?q=1"},
      {"http://a/?", "http", "a", 80, "/?", "http://a/?"},
      {"http://a/b//c/../d;p=1?x=%2F&y=://@", "http", "a", 80, "/b//c/../d;p=1?x=%2F&y=://@",
       "http://a/b//c/../d;p=1?x=%2F&y=://@"},
      {"http://127.0.0.1:8080/", "http", "127.0.0.1", 8080, "/", "http://127.0.0.1:8080/"},
      {"http://[2001:DB8::0:1]:81/x", "http", "2001:db8::1", 81, "/x", "http://[2001:db8::1]:81/x"},
      {"http://[::1]", "http", "::1", 80, "/", "http://[::1]/"},
      {"http://xn--bcher-kva.example/", "http", "xn--bcher-kva.example", 80, "/",
       "http://xn--bcher-kva.example/"},
      {"http://a_b-c.d1/", "http", "a_b-c.d1", 80, "/", "http://a_b-c.d1/"},
      {"http://1.2.3.4.example/", "http", "1.2.3.4.example", 80, "/", "http://1.2.3.4.example/"},
      {"http://a:65535/", "http", "a", 65535, "/", "http://a:65535/"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.text));
    const auto url = parse_url(row.text);
    REQUIRE(url.ok());
    CHECK(url->scheme == row.scheme);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->target == row.target);
    CHECK(url->text() == row.normal);
    CHECK(parse_url(url->text())->text() == row.normal);
  }
}

namespace {

const std::string kLabel64(64, 'a');
const std::string kName254 = std::string(62, 'a') + "." + std::string(63, 'b') + "." +
                             std::string(63, 'c') + "." + std::string(63, 'd');
const std::string kRefused[] = {
    "",
    "/path",
    "example.com",
    "//example.com/",
    "ftp://a/",
    "http:/a",
    "http:a",
    "httpx://a/",
    "javascript://a/",
    "http://",
    "http:///x",
    "http://?x",
    "http://:80/",
    "http://user@a/",
    "http://user:secret@a/",
    "http://a@b@c/",
    "http://a#b",
    "http://a/#",
    "http://a b/",
    "http://a/ b",
    "http://a/\tb",
    "http://a/\r\nHost: b",
    "http://a\\b/",
    "http://a/\\b",
    "http://a/<b>",
    "http://a/{b}",
    "http://a/b|c",
    "http://a/\"",
    "http://a/%",
    "http://a/%4",
    "http://a/%zz",
    "http://%61/",
    "http://a%2eb/",
    "http://b\xc3\xbc"
    "cher.example/",
    "http://a/\xff",
    std::string("http://a/\0", 10),
    "http://a:/",
    "http://a:0/",
    "http://a:65536/",
    "http://a:123456/",
    "http://a:+80/",
    "http://a:-80/",
    "http://a:8o/",
    "http://a:80:80/",
    "http://a./",
    "http://.a/",
    "http://a..b/",
    "http://" + kLabel64 + "/",
    "http://" + kName254 + "/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.0x1/",
    "http://a.0x/",
    "http://0177.0.0.1/",
    "http://127.0.0.256/",
    "http://1.2.3.4.5/",
    "http://a.1/",
    "http://[::1/",
    "http://::1/",
    "http://[]/",
    "http://[::1]x/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[127.0.0.1]/",
    "http://[v1.x]/",
    "http://a/" + std::string(limits::kHttpTargetBytesMax, 'x'),
};

}  // namespace

TEST_CASE("a URL that readers could read differently is refused") {
  REQUIRE(kName254.size() == 254);
  for (const std::string& row : kRefused) {
    CAPTURE(row);
    const auto url = parse_url(row);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().code == ErrorCode::invalid_argument);
    CHECK(url.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a request that could split or smuggle is not sent") {
  const auto request = [] {
    ClientRequest out;
    out.url = *parse_url("http://example.com/x");
    return out;
  };
  CHECK(check_request(request()).ok());
  const std::function<void(ClientRequest&)> spoilers[] = {
      [](auto& r) { r.method = ""; },
      [](auto& r) { r.method = "GET /"; },
      [](auto& r) { r.method = "CONNECT"; },
      [](auto& r) { r.url.target = "/a b"; },
      [](auto& r) { r.url.target = "x"; },
      [](auto& r) { r.url.host = "Example.com"; },
      [](auto& r) { r.url.host = "a/b"; },
      [](auto& r) { r.url.port = 0; },
      [](auto& r) { r.url.scheme = "ftp"; },
      [](auto& r) { r.timeout = Millis{0}; },
      [](auto& r) { r.fields.add("X", "a\r\nY: b"); },
      [](auto& r) { r.fields.add("X", std::string("\0", 1)); },
      [](auto& r) { r.fields.add("X y", "a"); },
      [](auto& r) { r.fields.add("", "a"); },
      [](auto& r) { r.fields.add("transfer-encoding", "chunked"); },
      [](auto& r) { r.fields.add("Content-Length", "1"); },
      [](auto& r) { r.fields.add("X", std::string(limits::kHttpHeaderBytesMax, 'x')); },
  };
  for (const auto& spoil : spoilers) {
    ClientRequest spoiled = request();
    spoil(spoiled);
    const auto status = check_request(spoiled);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::invalid_argument);
  }
}
