// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "http/client.h"

namespace sandtrail::http {
namespace {

Error wrong(std::string message) {
  return {ErrorCode::invalid_argument, "request: " + std::move(message), ""};
}

}  // namespace

Status check_request(const ClientRequest& request) {
  if (!valid_field_name(request.method)) return wrong("the method is no token");
  if (request.method == "CONNECT") return wrong("tunnels are not for callers to open");
  // What parse_url() makes passes; an Url may also have been put together by hand.
  const auto url = parse_url(request.url.text());
  if (!url) return url.error();
  if (url->host != request.url.host || url->target != request.url.target ||
      url->port != request.url.port) {
    return wrong("the URL is not in its normal form");
  }
  if (!request.unix_path.empty()) {
    if (request.url.scheme != "http") return wrong("a unix socket speaks plain http");
    ST_CHECK_OK(check_unix_path(request.unix_path));
  }
  if (request.timeout <= Millis{0}) return wrong("the time-out is not positive");
  std::size_t bytes = 0;
  for (const auto& [name, value] : request.fields.all()) {
    if (!valid_field_name(name) || !valid_field_value(value)) {
      return wrong("a field has a byte that fields do not have");
    }
    if (same_field_name(name, "Transfer-Encoding") || same_field_name(name, "Expect") ||
        same_field_name(name, "Upgrade")) {
      return wrong("the field " + name + " is not for callers to set");
    }
    if (same_field_name(name, "Content-Length") && value != std::to_string(request.body.size())) {
      return wrong("Content-Length is not the length of the body");
    }
    bytes += name.size() + value.size() + 4;
  }
  if (bytes > limits::kHttpHeaderBytesMax) return wrong("the fields are too long");
  return {};
}

}  // namespace sandtrail::http
