// SPDX-License-Identifier: Apache-2.0
// The store over S3 against a service that checks what it is sent.
#include <doctest/doctest.h>

#include "s3_service.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

struct Times {
  SystemClock clock;
  SystemRandom random;
};

// A service's clock as it would be seen if ours were wrong.
class WrongClock final : public Clock {
 public:
  UnixMs now() const override { return right_.now() + hours(1); }
  std::int64_t monotonic_us() const override { return right_.monotonic_us(); }

 private:
  SystemClock right_;
};

}  // namespace

TEST_CASE("the signature holds for every kind of request, prefix and credential") {
  Times times;
  for (const std::string& below :
       {std::string(), std::string("a b/\xc3\xa4+=&@:,;$!'()*~"),
        std::string("\xe4\xb8\xad/\xf0\x9f\x98\x80"), std::string(".x")}) {
    for (const bool token : {false, true}) {
      CAPTURE(below);
      CAPTURE(token);
      S3ObjectStoreOptions options = s3_service_options(kS3Bucket, below);
      if (token) options.credentials.session_token = SecretBytes(kS3SessionToken);
      const auto store = open_s3(std::move(options), times.clock, times.random);
      const Status put = store->put("x_1", "content");
      CHECK_MESSAGE(put.ok(), (put.ok() ? std::string() : put.error().text()));
      const auto got = store->get("x_1");
      REQUIRE_MESSAGE(got.ok(), got.error().text());
      CHECK(*got == "content");
      CHECK(store->remove("x_1").ok());
      CHECK(store->get("x_1").error().code == ErrorCode::not_found);
    }
  }
}

TEST_CASE("what the service refuses is denied, with what to do") {
  struct Row {
    std::string name;
    std::function<void(S3ObjectStoreOptions&)> change;
    std::string advice;
  };
  const Row rows[] = {
      {"secret", [](auto& o) { o.credentials.secret_access_key = SecretBytes("wrong"); },
       "secret access key"},
      {"key id", [](auto& o) { o.credentials.access_key_id = "wrong"; }, "access key id"},
      {"token", [](auto& o) { o.credentials.session_token = SecretBytes("wrong"); },
       "new credentials"},
  };
  Times times;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    S3ObjectStoreOptions options = s3_service_options();
    row.change(options);
    const auto store = open_s3(std::move(options), times.clock, times.random);
    for (const Status& status : {store->put("a", "x"), store->remove("a"), [&] {
                                   const auto got = store->get("a");
                                   return got.ok() ? Status() : Status(got.error());
                                 }()}) {
      REQUIRE_FALSE(status.ok());
      CHECK(status.error().code == ErrorCode::denied);
      CHECK(status.error().hint.find(row.advice) != std::string::npos);
      CHECK(status.error().text().find("wrong") == std::string::npos);
    }
  }
}

TEST_CASE("a wrong clock is denied, and named") {
  const WrongClock clock;
  SystemRandom random;
  const auto store = open_s3(s3_service_options(), clock, random);
  const Status status = store->put("a", "x");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::denied);
  CHECK(status.error().hint.find("clock") != std::string::npos);
}

TEST_CASE("a bucket that is not there is no object that is not there") {
  Times times;
  const auto store = open_s3(s3_service_options("no-such-bucket"), times.clock, times.random);
  const auto got = store->get("a");
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == ErrorCode::unavailable);
  CHECK(got.error().hint.find("create the bucket") != std::string::npos);
}

TEST_CASE("stores below other prefixes of one bucket do not see each other") {
  Times times;
  const auto one = open_s3(s3_service_options(), times.clock, times.random);
  const auto two = open_s3(s3_service_options(), times.clock, times.random);
  REQUIRE(one->put("a", "1").ok());
  REQUIRE(two->put("a", "2").ok());
  CHECK(*one->get("a") == "1");
  CHECK(*two->get("a") == "2");
  REQUIRE(one->remove("a").ok());
  CHECK(*two->get("a") == "2");
}

TEST_CASE("only a service without conditional writes is noticed") {
  Times times;
  for (const std::string& bucket : {std::string(kS3Bucket), std::string(kS3UnconditionalBucket)}) {
    CAPTURE(bucket);
    S3ObjectStoreOptions options = s3_service_options(bucket);
    const S3Location location = options.location;
    for (int life = 0; life < 2; ++life) {  // the second finds the first one's probe
      int notices = 0;
      options = s3_service_options(bucket);
      options.location = location;
      options.on_notice = [&](const std::string&) { ++notices; };
      const auto store = open_s3(std::move(options), times.clock, times.random);
      CHECK(store->put("a", "1").ok());
      CHECK(store->put("a", "2").error().code == ErrorCode::conflict);
      CHECK(notices == (bucket == kS3Bucket ? 0 : 1));
    }
  }
}
