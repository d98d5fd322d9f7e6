// SPDX-License-Identifier: Apache-2.0
// What a service answered, and what it means. Pure. Private to this library.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail::s3 {

struct Answer {
  int status = 0;           // HTTP
  Bytes body;               // the object of a 200, else the beginning of what was sent
  bool has_length = false;  // the end of the body was told, not guessed from the connection's end
  bool too_long = false;    // over limits::kObjectBytesMax; body is cut
  std::string sha256;       // of our header kDigestHeader, else empty
  std::string region;       // of x-amz-bucket-region, else empty
};

// Sent with an object, and given back with it: hex SHA-256 of its bytes.
inline constexpr std::string_view kDigestHeader = "x-amz-meta-sandtrail-sha256";

// The text of the first <Code> of an error document, if it is 1 to 64 letters, digits and dots;
// else empty. Only looks for the two tags: the document may be anything.
std::string_view error_code_in(std::string_view document);

// True if this is a 404 that speaks of the object, not of the bucket or of another server.
bool is_missing_object(const Answer& answer);

// Why it is not what was asked for. `action`: "cannot read object x". The error repeats the status,
// the code, and nothing else of what was sent. `unavailable` if another try may help soon.
Error error_of(const Answer& answer, const std::string& action);

}  // namespace sandtrail::s3
