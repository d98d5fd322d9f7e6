// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 in the Authorization header, for a payload in one piece: pure.
// "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" in the Amazon
// S3 API reference. Private to this library.
//
//   canonical = method "\n" path "\n" query "\n" { name ":" value "\n" } "\n" names "\n" payload
//   scope     = yyyymmdd "/" region "/" service "/aws4_request"
//   to sign   = "AWS4-HMAC-SHA256\n" yyyymmddThhmmssZ "\n" scope "\n" hex(SHA-256(canonical))
//   key       = HMAC(HMAC(HMAC(HMAC("AWS4" secret, yyyymmdd), region), service), "aws4_request")
//   signature = hex(HMAC(key, to sign))
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"

namespace sandtrail::s3 {

// Names in lower case, each once; in any order.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct RequestToSign {
  std::string method;
  std::string path;            // as it is sent: begins with "/", percent-encoded once
  std::string query;           // as it is sent, without "?": encoded, sorted, each with a "="
  Headers headers;             // to be signed; S3 wants "host" and every "x-amz-…" among them
  std::string payload_sha256;  // hex
};

struct Signer {
  std::string access_key_id;
  const SecretBytes& secret_access_key;
  std::string region;
  std::string service;
};

// 20260131T120000Z, for the header x-amz-date.
std::string amz_date(UnixMs time);

std::string canonical_request(const RequestToSign& request);

// The value of the header Authorization. `date` as of amz_date().
std::string authorization(const RequestToSign& request, const Signer& signer,
                          std::string_view date);

// All bytes but A-Z a-z 0-9 - . _ ~ and "/" as %XX with upper-case digits.
std::string percent_encode_path(std::string_view text);

}  // namespace sandtrail::s3
