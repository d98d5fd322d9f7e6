// SPDX-License-Identifier: Apache-2.0
// The head of a response as bytes (RFC 9112 section 4). Standard library only.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace sandtrail::http {

enum class BodyFraming {
  none,     // 204, 304: no body, no length
  length,   // Content-Length
  chunked,  // Transfer-Encoding: chunked
  close     // the end of the connection (HTTP/1.0 only)
};

struct HeadFacts {
  BodyFraming framing = BodyFraming::length;
  std::size_t body_bytes = 0;  // with length
  bool keep = true;            // the connection stays
  bool http_1_0 = false;       // the request's version: keeping must be said, not closing
  std::string_view date;
};

// Status line, the response's fields but for those that are the connection's own (Connection,
// Content-Length, Date, Keep-Alive, Transfer-Encoding), then ours, then the empty line.
std::string head_text(const Response& response, const HeadFacts& facts);

// False if the status is not 200 to 599 or a field could split the message.
bool valid_head(const Response& response);
// True if a response of this status never has a body.
bool bodyless(int status);
// True if the handler asks for the connection's end ("Connection: close").
bool wants_close(const Response& response);

// What the server says of itself: from options.reject, or the detail as plain text; 503 with
// Retry-After.
Response rejection(const ServerOptions& options, int status, std::string detail);

}  // namespace sandtrail::http
