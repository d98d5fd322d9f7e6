// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <doctest/doctest.h>

#include "base/random.h"

using namespace sandtrail;
using namespace sandtrail::s3;

namespace {

Answer answer_of(int status, const std::string& code) {
  Answer answer;
  answer.status = status;
  if (!code.empty()) answer.body = "<Error><Code>" + code + "</Code></Error>";
  return answer;
}

}  // namespace

TEST_CASE("the code of an error document is found in anything, and believed only if it is one") {
  struct Row {
    std::string document;
    std::string code;
  };
  const std::string longest(64, 'x');
  const Row rows[] = {
      {"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>m</Message></Error>",
       "NoSuchKey"},
      {"<Code>A.b1</Code>", "A.b1"},
      {"<Code>First</Code><Code>Second</Code>", "First"},
      {"<Code>" + longest + "</Code>", longest},
      {"<Code>" + longest + "x</Code>", ""},
      {"<Code></Code>", ""},
      {"<Code>", ""},
      {"<Code>NoSuchKey", ""},
      {"<Code>NoSuchKey<", ""},
      {"<Code>No Such Key</Code>", ""},
      {"<Code><![CDATA[NoSuchKey]]></Code>", ""},
      {"<Code>a\r\nb</Code>", ""},
      {"<code>NoSuchKey</code>", ""},
      {"</Code><Code>", ""},
      {"{\"Code\": \"NoSuchKey\"}", ""},
      {"", ""},
      {std::string("\0<Code>X</Code>", 15), "X"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.document);
    CHECK(error_code_in(row.document) == row.code);
  }
  SeededRandom random(5);
  const std::string good = "<Error><Code>NoSuchKey</Code></Error>";
  for (int i = 0; i < 20'000; ++i) {
    std::string document = good.substr(random.below(10), random.below(good.size() + 1));
    if (!document.empty()) {
      document[random.below(document.size())] = static_cast<char>(random.below(256));
    }
    const std::string_view code = error_code_in(document);
    CHECK(code.find_first_of("<>& \r\n\0") == std::string_view::npos);
  }
}

TEST_CASE("only a 404 that speaks of the key means that there is no object") {
  CHECK(is_missing_object(answer_of(404, "NoSuchKey")));
  CHECK_FALSE(is_missing_object(answer_of(404, "NoSuchBucket")));
  CHECK_FALSE(is_missing_object(answer_of(404, "")));
  CHECK_FALSE(is_missing_object(answer_of(403, "NoSuchKey")));
}

TEST_CASE("answers become errors that say whether to try again, and what to do") {
  struct Row {
    int status;
    std::string code;
    ErrorCode error;
    std::string hint;  // part of it
  };
  const Row rows[] = {
      {403, "AccessDenied", ErrorCode::denied, "s3:ListBucket"},
      {403, "", ErrorCode::denied, "s3:GetObject"},
      {401, "", ErrorCode::denied, "s3:PutObject"},
      {403, "InvalidAccessKeyId", ErrorCode::denied, "access key id"},
      {403, "SignatureDoesNotMatch", ErrorCode::denied, "secret access key"},
      {403, "RequestTimeTooSkewed", ErrorCode::denied, "clock"},
      {400, "ExpiredToken", ErrorCode::denied, "new credentials"},
      {400, "InvalidToken", ErrorCode::denied, "new credentials"},
      {400, "AuthorizationHeaderMalformed", ErrorCode::denied, "objects.region"},
      {301, "PermanentRedirect", ErrorCode::invalid_argument, "objects.endpoint"},
      {302, "", ErrorCode::invalid_argument, "objects.region"},
      {307, "TemporaryRedirect", ErrorCode::unavailable, ""},
      {400, "InvalidBucketName", ErrorCode::invalid_argument, "objects.url"},
      {404, "NoSuchBucket", ErrorCode::unavailable, "create the bucket"},
      {404, "", ErrorCode::unavailable, "objects.endpoint"},
      {403, "QuotaExceeded", ErrorCode::disk_full, "quota"},
      {507, "XMinioStorageFull", ErrorCode::disk_full, "space"},
      {507, "", ErrorCode::disk_full, "space"},
      {400, "RequestTimeout", ErrorCode::unavailable, ""},
      {408, "", ErrorCode::unavailable, ""},
      {409, "OperationAborted", ErrorCode::unavailable, ""},
      {409, "ConditionalRequestConflict", ErrorCode::unavailable, ""},
      {400, "BadDigest", ErrorCode::unavailable, ""},
      {400, "XAmzContentSHA256Mismatch", ErrorCode::unavailable, ""},
      {429, "TooManyRequests", ErrorCode::unavailable, ""},
      {500, "InternalError", ErrorCode::unavailable, ""},
      {501, "NotImplemented", ErrorCode::internal, "S3 service"},
      {502, "", ErrorCode::unavailable, ""},
      {503, "SlowDown", ErrorCode::unavailable, ""},
      {504, "", ErrorCode::unavailable, ""},
      {400, "InvalidRequest", ErrorCode::internal, ""},
      {409, "", ErrorCode::internal, ""},
      {200, "", ErrorCode::internal, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.code);
    const Error error = error_of(answer_of(row.status, row.code), "cannot read object x");
    CHECK(error.code == row.error);
    CHECK(error.hint.find(row.hint) != std::string::npos);
    CHECK(error.message == "cannot read object x: the S3 service answered " +
                               std::to_string(row.status) +
                               (row.code.empty() ? "" : " " + row.code));
  }
}

TEST_CASE("the bucket's own region is named when it is another one") {
  Answer answer = answer_of(301, "PermanentRedirect");
  answer.region = "eu-north-1";
  CHECK(error_of(answer, "x").hint.ends_with("the bucket is in region eu-north-1"));
  answer = answer_of(403, "AccessDenied");
  answer.region = "eu-north-1";
  CHECK(error_of(answer, "x").hint.find("eu-north-1") == std::string::npos);
}
