// SPDX-License-Identifier: Apache-2.0
// What options lead to: the URLs that are asked, or a refusal when the store is opened.
#include <doctest/doctest.h>

#include <functional>

#include "location.h"

using namespace sandtrail;
using namespace sandtrail::s3;

namespace {

S3ObjectStoreOptions options_with(const std::function<void(S3ObjectStoreOptions&)>& change) {
  S3ObjectStoreOptions options;
  options.endpoint = "https://s3.example.com";
  options.location = {"bucket", "a b"};
  options.credentials = {"id", SecretBytes("secret"), SecretBytes()};
  change(options);
  return options;
}

}  // namespace

TEST_CASE("objects are asked for where the service keeps them") {
  struct Row {
    std::string endpoint;
    std::string region;
    std::string bucket;
    S3Addressing addressing;
    std::string origin;
    std::string base_path;
    std::string signed_region;
  };
  constexpr auto kAutomatic = S3Addressing::automatic;
  constexpr auto kPath = S3Addressing::path;
  constexpr auto kVirtual = S3Addressing::virtual_host;
  const Row rows[] = {
      {"https://s3.example.com", "", "bucket", kAutomatic, "https://s3.example.com",
       "/bucket/a%20b/", "us-east-1"},
      {"https://s3.example.com:9000", "here", "bucket", kVirtual,
       "https://bucket.s3.example.com:9000", "/a%20b/", "here"},
      {"http://127.0.0.1:9000", "", "bucket", kAutomatic, "http://127.0.0.1:9000", "/bucket/a%20b/",
       "us-east-1"},
      {"", "eu-west-1", "bucket", kAutomatic, "https://bucket.s3.eu-west-1.amazonaws.com",
       "/a%20b/", "eu-west-1"},
      {"", "eu-west-1", "my.bucket", kAutomatic, "https://s3.eu-west-1.amazonaws.com",
       "/my.bucket/a%20b/", "eu-west-1"},
      {"", "eu-west-1", "bucket", kPath, "https://s3.eu-west-1.amazonaws.com", "/bucket/a%20b/",
       "eu-west-1"},
      {"", "cn-north-1", "bucket", kAutomatic, "https://bucket.s3.cn-north-1.amazonaws.com.cn",
       "/a%20b/", "cn-north-1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.origin);
    const auto target = target_of(options_with([&](S3ObjectStoreOptions& options) {
      options.endpoint = row.endpoint;
      options.region = row.region;
      options.location.bucket = row.bucket;
      options.addressing = row.addressing;
    }));
    REQUIRE(target.ok());
    CHECK(target->origin == row.origin);
    CHECK(target->authority == row.origin.substr(row.origin.find("//") + 2));
    CHECK(target->base_path == row.base_path);
    CHECK(target->region == row.signed_region);
  }
  const auto target = target_of(options_with([](auto& options) { options.location.prefix = ""; }));
  CHECK(target->base_path == "/bucket/");
}

TEST_CASE(
    "options that make no sense are refused when the store is opened, without their secrets") {
  struct Row {
    std::string name;
    std::function<void(S3ObjectStoreOptions&)> change;
    std::string code;
  };
  constexpr const char* kInvalid = "invalid_argument";
  const Row rows[] = {
      {"as they are", [](auto&) {}, "ok"},
      {"plain to elsewhere", [](auto& o) { o.endpoint = "http://s3.example.com"; }, kInvalid},
      {"plain to elsewhere, allowed",
       [](auto& o) {
         o.endpoint = "http://s3.example.com";
         o.allow_http = true;
       },
       "ok"},
      {"plain to loopback", [](auto& o) { o.endpoint = "http://localhost"; }, "ok"},
      {"no endpoint", [](auto& o) { o.endpoint = "nonsense"; }, kInvalid},
      {"Amazon without region", [](auto& o) { o.endpoint = ""; }, kInvalid},
      {"region", [](auto& o) { o.region = "eu/west"; }, kInvalid},
      {"region with line", [](auto& o) { o.region = "eu\nwest"; }, kInvalid},
      {"bucket", [](auto& o) { o.location.bucket = "x"; }, kInvalid},
      {"prefix", [](auto& o) { o.location.prefix = "/x"; }, kInvalid},
      {"bucket before an address",
       [](auto& o) {
         o.endpoint = "https://10.0.0.1";
         o.addressing = S3Addressing::virtual_host;
       },
       kInvalid},
      {"no key id", [](auto& o) { o.credentials.access_key_id = ""; }, kInvalid},
      {"key id that is a scope", [](auto& o) { o.credentials.access_key_id = "secret/x"; },
       kInvalid},
      {"no secret", [](auto& o) { o.credentials.secret_access_key = SecretBytes(); }, kInvalid},
      {"secret of two lines",
       [](auto& o) { o.credentials.secret_access_key = SecretBytes("secret\n"); }, kInvalid},
      {"token of two lines",
       [](auto& o) { o.credentials.session_token = SecretBytes("secret\r\nX: y"); }, kInvalid},
      {"no time to connect", [](auto& o) { o.connect_timeout = Millis{0}; }, kInvalid},
      {"no time to stall", [](auto& o) { o.stall_timeout = Millis{-1}; }, kInvalid},
      {"no time", [](auto& o) { o.call_timeout = Millis{0}; }, kInvalid},
      {"all time", [](auto& o) { o.call_timeout = days(2); }, kInvalid},
      {"no such certificates", [](auto& o) { o.ca_file = "/nonexistent/ca.pem"; }, "not_found"},
      {"certificates for plain connections",
       [](auto& o) {
         o.endpoint = "http://localhost";
         o.ca_file = "/etc/hostname";
       },
       kInvalid},
  };
  const SystemClock clock;
  SystemRandom random;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto opened = open_s3_object_store(options_with(row.change), clock, random);
    CHECK((opened.ok() ? "ok" : std::string(name_of(opened.error().code))) == row.code);
    if (!opened.ok()) CHECK(opened.error().text().find("secret/") == std::string::npos);
    if (!opened.ok()) CHECK(opened.error().text().find("secret\n") == std::string::npos);
  }
}
