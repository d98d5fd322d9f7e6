// SPDX-License-Identifier: Apache-2.0
// Against the examples of the Amazon S3 API reference ("Authenticating Requests: Using the
// Authorization Header") and of AWS's Signature Version 4 test suite (service "service").
#include "signature.h"

#include <doctest/doctest.h>

#include "crypto/digest.h"

using namespace sandtrail;
using namespace sandtrail::s3;

namespace {

const std::string kEmpty = hex(sha256(""));
const std::string kWelcome = hex(sha256("Welcome to Amazon S3."));
const std::string kS3Host = "examplebucket.s3.amazonaws.com";

struct Row {
  std::string name;
  RequestToSign request;
  std::string signed_names;
  std::string signature;
};

const Row kS3Rows[] = {
    {"GET object",
     {"GET",
      "/test.txt",
      "",
      {{"range", "bytes=0-9"},
       {"host", kS3Host},
       {"x-amz-date", "20130524T000000Z"},
       {"x-amz-content-sha256", kEmpty}},
      kEmpty},
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT object",
     {"PUT",
      "/test%24file.text",
      "",
      {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
       {"host", kS3Host},
       {"x-amz-content-sha256", kWelcome},
       {"x-amz-date", "20130524T000000Z"},
       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
      kWelcome},
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET bucket lifecycle",
     {"GET",
      "/",
      "lifecycle=",
      {{"host", kS3Host}, {"x-amz-content-sha256", kEmpty}, {"x-amz-date", "20130524T000000Z"}},
      kEmpty},
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET bucket (list objects)",
     {"GET",
      "/",
      "max-keys=2&prefix=J",
      {{"host", kS3Host}, {"x-amz-content-sha256", kEmpty}, {"x-amz-date", "20130524T000000Z"}},
      kEmpty},
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

const Headers kSuiteHeaders{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};

const Row kSuiteRows[] = {
    {"get-vanilla",
     {"GET", "/", "", kSuiteHeaders, kEmpty},
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case",
     {"GET", "/", "Param1=value1&Param2=value2", kSuiteHeaders, kEmpty},
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-utf8",
     {"GET", percent_encode_path("/\xe1\x88\xb4"), "", kSuiteHeaders, kEmpty},
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"post-vanilla",
     {"POST", "/", "", kSuiteHeaders, kEmpty},
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"get-header-value-trim",
     {"GET",
      "/",
      "",
      {{"my-header1", " value1"},
       {"my-header2", " \"a   b   c\""},
       {"host", "example.amazonaws.com"},
       {"x-amz-date", "20150830T123600Z"}},
      kEmpty},
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
};

}  // namespace

TEST_CASE("published S3 examples are signed as published") {
  const SecretBytes secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  const Signer signer{"AKIAIOSFODNN7EXAMPLE", secret, "us-east-1", "s3"};
  for (const Row& row : kS3Rows) {
    CAPTURE(row.name);
    CHECK(authorization(row.request, signer, "20130524T000000Z") ==
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
          "SignedHeaders=" +
              row.signed_names + ", Signature=" + row.signature);
  }
}

TEST_CASE("requests of the test suite are signed as published") {
  const SecretBytes secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const Signer signer{"AKIDEXAMPLE", secret, "us-east-1", "service"};
  for (const Row& row : kSuiteRows) {
    CAPTURE(row.name);
    CHECK(authorization(row.request, signer, "20150830T123600Z") ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
          "SignedHeaders=" +
              row.signed_names + ", Signature=" + row.signature);
  }
}

TEST_CASE("the canonical request is the published one") {
  CHECK(canonical_request(kS3Rows[0].request) ==
        "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n"
        "x-amz-content-sha256:" +
            kEmpty + "\nx-amz-date:20130524T000000Z\n\n" +
            "host;range;x-amz-content-sha256;x-amz-date\n" + kEmpty);
}

TEST_CASE("every part of a request is signed") {
  const SecretBytes secret("secret");
  const SecretBytes other_secret("secreu");
  const RequestToSign base{"GET", "/a", "", {{"host", "h"}, {"x-amz-date", "d"}}, kEmpty};
  const Signer signer{"id", secret, "r", "s3"};
  const auto signature_of = [](const std::string& text) { return text.substr(text.rfind('=')); };
  const std::string expected = signature_of(authorization(base, signer, "20260131T000000Z"));
  RequestToSign changed[] = {base, base, base, base, base, base};
  changed[0].method = "PUT";
  changed[1].path = "/b";
  changed[2].query = "x=";
  changed[3].headers[0].second = "i";
  changed[4].headers.pop_back();
  changed[5].payload_sha256 = kWelcome;
  for (const RequestToSign& request : changed) {
    CHECK(signature_of(authorization(request, signer, "20260131T000000Z")) != expected);
  }
  for (const Signer& other : {Signer{"id", other_secret, "r", "s3"},
                              Signer{"id", secret, "q", "s3"}, Signer{"id", secret, "r", "s4"}}) {
    CHECK(signature_of(authorization(base, other, "20260131T000000Z")) != expected);
  }
  CHECK(signature_of(authorization(base, signer, "20260201T000000Z")) != expected);
  CHECK(signature_of(authorization(base, signer, "20260131T000001Z")) != expected);
}

TEST_CASE("dates are basic ISO 8601 in UTC, without fractions") {
  CHECK(amz_date({0}) == "19700101T000000Z");
  CHECK(amz_date({1'369'353'600'000}) == "20130524T000000Z");
  CHECK(amz_date({1'440'938'160'999}) == "20150830T123600Z");
}

TEST_CASE("paths are encoded byte by byte, but for what is unreserved and the slash") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string encoded = percent_encode_path(all);
  CHECK(encoded.size() == 67 + 3 * (256 - 67));
  CHECK(percent_encode_path("AZaz09-._~/") == "AZaz09-._~/");
  CHECK(percent_encode_path(" !\"#$%&'()*+,:;<=>?@[\\]^`{|}") ==
        "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
  CHECK(percent_encode_path(std::string("\0\x7f\xc3\xa4", 4)) == "%00%7F%C3%A4");
}
