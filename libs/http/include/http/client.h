// SPDX-License-Identifier: Apache-2.0
// The outbound HTTP port: webhooks and the command line use it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace sandtrail::http {

struct Url {
  std::string scheme;      // "http" or "https"
  std::string host;        // lower case; an IPv6 literal without brackets
  std::uint16_t port = 0;  // explicit or the scheme's
  std::string target;      // path and query, at least "/"
  std::string text() const;
};
// Absolute http(s) URL without user info or fragment, RFC 3986. invalid_argument says what is
// wrong.
Result<Url> parse_url(std::string_view text);

// Which addresses may be connected to. The check is on the address the socket connects to, after
// resolution, so a name cannot lead around it; if any address of a name is forbidden, all are.
struct AddressPolicy {
  bool allow_private = false;  // loopback, RFC 1918, link-local, ULA, CGNAT … (tests, dev)
  std::vector<std::string> allow_cidrs;  // "10.1.0.0/16", exceptions to the refusal
};
// True if `address` (textual IPv4 or IPv6) is globally routable or allowed by the policy. Knows
// IPv4-mapped, 6to4, NAT64, Teredo, multicast, documentation and metadata ranges (IANA special
// registries, RFC 6890 and later).
bool address_allowed(const AddressPolicy& policy, std::string_view address);

struct ClientRequest {
  std::string method = "GET";
  Url url;
  Fields fields;  // Host, Content-Length and User-Agent are added if missing
  Bytes body;
  Millis timeout = seconds(30);  // for everything, resolution included
  std::size_t response_bytes_max = 4096;
  bool truncate_response = false;  // true: keep the first bytes; false: longer is an error
};

struct ClientTimings {
  std::int64_t resolve_us = 0;
  std::int64_t connect_us = 0;  // 0 if a kept connection was reused
  std::int64_t tls_us = 0;
  std::int64_t first_byte_us = 0;  // from the end of sending
  std::int64_t total_us = 0;
};

struct ClientResponse {
  int status = 0;
  Fields fields;
  Bytes body;
  bool truncated = false;
  ClientTimings timings;
  std::string remote_address;
};

// Thread-safe. Redirects are never followed. Connections are kept alive and reused per
// (scheme, host, port).
class Client {
 public:
  virtual ~Client() = default;
  using Done = std::function<void(Result<ClientResponse>)>;
  // `done` is called exactly once, on an I/O thread. Errors: invalid_argument (URL), denied
  // (address policy), timeout, unavailable (resolve, connect, TLS, broken connection).
  virtual void send(ClientRequest request, Done done) = 0;
  // Streams the body of a response as it arrives (SSE); on_data false stops it.
  virtual void stream(ClientRequest request, std::function<bool(BytesView)> on_data, Done done) = 0;
};

}  // namespace sandtrail::http
