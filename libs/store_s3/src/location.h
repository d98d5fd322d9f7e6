// SPDX-License-Identifier: Apache-2.0
// Where objects are: the endpoint, the bucket, and the URLs made of them. Private to this library.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"
#include "store_s3/object_store.h"

namespace sandtrail::s3 {

// "http://host[:port]" or "https://host[:port]", a slash after it allowed; else invalid_argument,
// also if it names a user, a path or a query.
Result<http::Url> parse_endpoint(std::string_view text);

// So written: 127.0.0.0/8, ::1, localhost, and names below it. `host` as of parse_endpoint().
bool is_loopback(const std::string& host);

Status check_location(const S3Location& location);

// What a key's URL begins with.
struct Target {
  std::string origin;     // "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string authority;  // the Host header: without the scheme's own port
  std::string base_path;  // percent-encoded, "/" or "/bucket/prefix/": what is before the name
  std::string region;
};

// invalid_argument if endpoint, region, location or addressing make no sense together.
Result<Target> target_of(const S3ObjectStoreOptions& options);

}  // namespace sandtrail::s3
