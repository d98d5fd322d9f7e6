// SPDX-License-Identifier: Apache-2.0
// The ObjectStore port over any service that speaks S3 (the REST API, version 2006-03-01, with AWS
// Signature Version 4): Amazon's own, MinIO, Ceph, R2 …
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "store/object_store.h"

namespace sandtrail {

// Object `name` has the key <prefix>/<name>, or <name> if the prefix is empty.
struct S3Location {
  std::string bucket;
  std::string prefix;  // no slash at either end; as it is, not percent-encoded
  bool operator==(const S3Location&) const = default;
};

// "s3://bucket", "s3://bucket/", "s3://bucket/some/prefix" and the same with a slash at the end.
// The bucket's name is 3 to 63 of a-z, 0-9, "-" and "." as S3 has it; the prefix is UTF-8 of at
// most limits::kS3PrefixBytesMax bytes without control characters, %, ?, # or \, and its parts are
// neither empty nor "." or "..". Anything else is invalid_argument.
Result<S3Location> parse_s3_url(std::string_view url);

struct S3Credentials {
  std::string access_key_id;
  SecretBytes secret_access_key;
  SecretBytes session_token;  // empty: none
};

// The keys aws_access_key_id, aws_secret_access_key and aws_session_token of section [profile] in
// the well-known file:
//
//   file    = { blank | comment | section | key }     one a line, "\n" or "\r\n"
//   comment = ("#" | ";") …      section = "[" name "]"      key = name "=" value
//
// Names of keys in any case; white space around names and values is cut; a value goes to the end of
// its line. Other keys and sections belong to other programs. Of read_secret_file(): not_found,
// denied if group or others may read it. invalid_argument names the line, never its text.
Result<S3Credentials> read_s3_credentials(const std::string& file,
                                          const std::string& profile = "default");
// The same of a file that was read; `file` names it in messages.
Result<S3Credentials> parse_s3_credentials(std::string_view text, const std::string& file,
                                           const std::string& profile);
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it is set, AWS_SESSION_TOKEN.
Result<S3Credentials> s3_credentials_from(const std::map<std::string, std::string>& environment);

enum class S3Addressing {
  automatic,     // virtual_host for Amazon (path if the bucket's name has a dot), else path
  path,          // https://endpoint/bucket/key
  virtual_host,  // https://bucket.endpoint/key
};

struct S3ObjectStoreOptions {
  std::string endpoint;     // "https://host", ":port" after it; empty: Amazon's of the region
  bool allow_http = false;  // "http://" is refused unless the host is loopback, or this is true
  std::string region;       // empty: us-east-1; with Amazon it must be given
  S3Location location;
  S3Addressing addressing = S3Addressing::automatic;
  S3Credentials credentials;
  std::string ca_file;  // PEM, instead of the system's certificates; empty: those
  Millis connect_timeout = limits::kS3ConnectTimeout;
  // Without limits::kS3StallBytesPerSecond for so long, a request is given up. Whole seconds count.
  Millis stall_timeout = limits::kS3StallTimeout;
  // For one call of the port with all its requests, repeats and waits.
  Millis call_timeout = limits::kS3CallTimeout;
  // Told in words, for the operator: the first call that failed, with its error, and the first that
  // did not after it; and when the first put found that the service does not keep If-None-Match
  // (see the README). From the thread of that call; must be thread-safe.
  std::function<void(const std::string&)> on_notice;
};

// Connects to nothing yet: a service that is away shows in the calls. invalid_argument if an option
// makes no sense; of `ca_file`, read_file()'s errors. `clock` and `random` must outlive the store.
//
// What the store adds to the port: at most limits::kS3ConnectionsMax requests at a time, others
// wait. A request that failed on the way or with 5xx or 429 is repeated, limits::kS3TriesMax times
// in all; then the call is unavailable, and a put or remove may still have been carried out. Other
// errors: denied (credentials, permissions, certificate), disk_full (a quota), corrupt (the object
// has other bytes than were put), overloaded (no connection became free), invalid_argument (a
// redirect: wrong region or endpoint). No error holds a credential.
Result<std::unique_ptr<ObjectStore>> open_s3_object_store(S3ObjectStoreOptions options,
                                                          const Clock& clock, Random& random);

}  // namespace sandtrail
