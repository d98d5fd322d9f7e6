// SPDX-License-Identifier: Apache-2.0
#include "location.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"

using namespace sandtrail;
using namespace sandtrail::s3;
using namespace std::string_literals;

namespace {

std::string text_of(const Result<S3Location>& location) {
  if (!location.ok()) return std::string(name_of(location.error().code));
  return location->bucket + " | " + location->prefix;
}

std::string text_of(const Result<http::Url>& endpoint) {
  if (!endpoint.ok()) return std::string(name_of(endpoint.error().code));
  return endpoint->scheme + " " + endpoint->authority() +
         (is_loopback(endpoint->host) ? " loopback" : "");
}

struct Row {
  std::string text;
  std::string expected;
};

constexpr const char* kInvalid = "invalid_argument";

// Random damage to a good text: flipped, doubled, lost and foreign characters.
std::string damaged(std::string text, SeededRandom& random) {
  static const std::string kForeign = "/:.@[]%?#\\s3 \n\t\0\x7f\xff-_A"s;
  for (std::uint64_t i = random.below(4) + 1; i > 0 && !text.empty(); --i) {
    const std::size_t at = random.below(text.size());
    const std::uint64_t kind = random.below(4);
    if (kind == 0) text.erase(at, random.below(4) + 1);
    if (kind == 1) text.insert(at, text.substr(at, random.below(4) + 1));
    if (kind == 2) text[at] = kForeign[random.below(kForeign.size())];
    if (kind == 3) text[at] = static_cast<char>(random.below(256));
  }
  return text;
}

}  // namespace

TEST_CASE("URLs of buckets are read, and nothing that only looks like one") {
  const std::string long_label(63, 'a');
  const std::string longest(limits::kS3PrefixBytesMax, 'p');
  const Row rows[] = {
      {"s3://bucket", "bucket | "},
      {"s3://bucket/", "bucket | "},
      {"s3://bucket/a", "bucket | a"},
      {"s3://bucket/a/", "bucket | a"},
      {"s3://my.bucket-1/a/b.c/D e", "my.bucket-1 | a/b.c/D e"},
      {"s3://bucket/k\xc3\xa4se+=&:@!'()*,;$~", "bucket | k\xc3\xa4se+=&:@!'()*,;$~"},
      {"s3://bucket/...", "bucket | ..."},
      {"s3://" + long_label, long_label + " | "},
      {"s3://bucket/" + longest, "bucket | " + longest},
      {"", kInvalid},
      {"s3:", kInvalid},
      {"s3://", kInvalid},
      {"s3:///a", kInvalid},
      {"S3://bucket", kInvalid},
      {"https://bucket", kInvalid},
      {"bucket/prefix", kInvalid},
      {"s3://ab", kInvalid},
      {"s3://" + long_label + "a", kInvalid},
      {"s3://Bucket", kInvalid},
      {"s3://buc_ket", kInvalid},
      {"s3://-bucket", kInvalid},
      {"s3://bucket-", kInvalid},
      {"s3://.bucket", kInvalid},
      {"s3://bucket.", kInvalid},
      {"s3://buc..ket", kInvalid},
      {"s3://buc.-ket", kInvalid},
      {"s3://buc-.ket", kInvalid},
      {"s3://192.168.0.1", kInvalid},
      {"s3://key:secret@bucket", kInvalid},
      {"s3://bucket:80", kInvalid},
      {"s3://bucket//a", kInvalid},
      {"s3://bucket/a//", kInvalid},
      {"s3://bucket/a//b", kInvalid},
      {"s3://bucket/.", kInvalid},
      {"s3://bucket/..", kInvalid},
      {"s3://bucket/a/../b", kInvalid},
      {"s3://bucket/./a", kInvalid},
      {"s3://bucket/a%2fb", kInvalid},
      {"s3://bucket/a?versions", kInvalid},
      {"s3://bucket/a#b", kInvalid},
      {"s3://bucket/a\\b", kInvalid},
      {"s3://bucket/a\nb", kInvalid},
      {std::string("s3://bucket/a\0b", 15), kInvalid},
      {"s3://bucket/\x7f", kInvalid},
      {"s3://bucket/\xff", kInvalid},
      {"s3://bucket/" + longest + "p", kInvalid},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(text_of(parse_s3_url(row.text)) == row.expected);
  }
}

TEST_CASE("endpoints are a scheme, a host and perhaps a port") {
  const Row rows[] = {
      {"https://s3.example.com", "https s3.example.com"},
      {"https://s3.example.com/", "https s3.example.com"},
      {"https://S3.Example.COM:9000", "https s3.example.com:9000"},
      {"https://s3.example.com:443", "https s3.example.com"},
      {"http://s3.example.com:443", "http s3.example.com:443"},
      {"http://localhost:80", "http localhost loopback"},
      {"http://minio.localhost", "http minio.localhost loopback"},
      {"http://127.0.0.1:65535", "http 127.0.0.1:65535 loopback"},
      {"http://127.255.0.9", "http 127.255.0.9 loopback"},
      {"http://[::1]:9000", "http [::1]:9000 loopback"},
      {"https://[2001:db8::1]", "https [2001:db8::1]"},
      {"http://10.0.0.1", "http 10.0.0.1"},
      {"http://127.0.0.1.example.com", "http 127.0.0.1.example.com"},
      {"http://localhost.example.com", "http localhost.example.com"},
      {"", kInvalid},
      {"localhost:9000", kInvalid},
      {"ftp://localhost", kInvalid},
      {"http://", kInvalid},
      {"http:///", kInvalid},
      {"http://:9000", kInvalid},
      {"http://localhost:", kInvalid},
      {"http://localhost:0", kInvalid},
      {"http://localhost:65536", kInvalid},
      {"http://localhost:-1", kInvalid},
      {"http://localhost:+1", kInvalid},
      {"http://localhost: 1", kInvalid},
      {"http://localhost:9000x", kInvalid},
      {"http://localhost:9000:9000", kInvalid},
      {"http://localhost//", kInvalid},
      {"http://localhost/path", kInvalid},
      {"http://localhost?x", kInvalid},
      {"http://localhost#x", kInvalid},
      {"http://user:secret@localhost", kInvalid},
      {"http://local host", kInvalid},
      {"http://local\thost", kInvalid},
      {"http://localhost\r\nX: y", kInvalid},
      {std::string("http://local\0host", 17), kInvalid},
      {"http://::1", kInvalid},
      {"http://[::1", kInvalid},
      {"http://[", kInvalid},
      {"http://[]", kInvalid},
      {"http://[::1]9000", kInvalid},
      {"http://[127.0.0.1]", kInvalid},
      {"http://[fe80::1%eth0]", kInvalid},
      {"http://x..example", kInvalid},
      {"http://" + std::string(254, 'a'), kInvalid},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(text_of(parse_endpoint(row.text)) == row.expected);
  }
}

TEST_CASE("whatever is read can be written and read again, however it was damaged") {
  SeededRandom random(11);
  int good = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string url = damaged("s3://my.bucket-1/some/prefix", random);
    if (const auto location = parse_s3_url(url); location.ok()) {
      ++good;
      const auto again = parse_s3_url("s3://" + location->bucket + "/" + location->prefix);
      REQUIRE(again.ok());
      CHECK(*again == *location);
    }
    const std::string text = damaged("https://s3.example.com:9000", random);
    if (const auto endpoint = parse_endpoint(text); endpoint.ok()) {
      ++good;
      const auto again = parse_endpoint(endpoint->scheme + "://" + endpoint->authority());
      REQUIRE(again.ok());
      CHECK(again->text() == endpoint->text());
    }
  }
  CHECK(good > 1000);
}
