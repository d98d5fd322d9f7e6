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
  std::string authority() const;  // host and, if it is not the scheme's, port: the Host field
};
// Absolute http(s) URL without user info or fragment, RFC 3986, at most
// limits::kHttpTargetBytesMax long. invalid_argument says what is wrong. The host is a name of
// letters, digits, '-' and '_' in at most 63-byte labels, or a canonical IP literal: "127.1",
// "0x7f.0.0.1", zone ids, escapes and a trailing dot are refused, as their readings differ.
Result<Url> parse_url(std::string_view text);

// Which addresses may be connected to. The check is on the address the socket connects to, after
// resolution, so a name cannot lead around it; if any address of a name is forbidden, all are.
struct AddressPolicy {
  bool allow_private = false;  // loopback, RFC 1918, link-local, ULA, CGNAT … (tests, dev)
  std::vector<std::string> allow_cidrs;  // "10.1.0.0/16", exceptions to the refusal
};
// True if `text` is a range such as "10.1.0.0/16" or "fd00::/8". For checking settings: an entry of
// allow_cidrs that is no such range allows nothing.
bool valid_cidr(std::string_view text);
// True if `address` (textual IPv4 or IPv6) is globally routable or allowed by the policy. Knows
// IPv4-mapped, 6to4, NAT64, Teredo, multicast, documentation and metadata ranges (IANA special
// registries, RFC 6890 and later). IPv4-mapped and 6to4 addresses are judged by the IPv4 address
// within. allow_private never allows multicast, reserved, documentation or translated (NAT64)
// addresses; allow_cidrs may. Any other form of text is refused.
bool address_allowed(const AddressPolicy& policy, std::string_view address);

struct ClientRequest {
  std::string method = "GET";
  Url url;
  Fields fields;  // Host, Content-Length and User-Agent are added if missing
  Bytes body;
  Millis timeout = seconds(30);  // for everything, resolution included
  std::size_t response_bytes_max = 4096;
  bool truncate_response = false;  // true: keep the first bytes; false: longer is an error
  // Not empty: the request goes to the server that listens on this unix socket (an absolute path)
  // instead of the URL's host and port, which then only make the Host field; the scheme is http.
  // The address policy does not apply: paths come from our own code, never from a tenant.
  std::string unix_path;
};

// invalid_argument if the request cannot be sent as it stands: method, URL, fields, time-out. Every
// Client checks it.
Status check_request(const ClientRequest& request);

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
// (scheme, host, port) or unix socket.
class Client {
 public:
  virtual ~Client() = default;
  using Done = std::function<void(Result<ClientResponse>)>;
  // `done` is called exactly once, on an I/O thread. Errors: invalid_argument (URL, fields), denied
  // (address policy), overloaded (too many in flight, nothing was sent), timeout, unavailable
  // (resolve, connect, TLS, broken connection, malformed or too long response), cancelled (the
  // client was destroyed). After timeout and unavailable the peer may have acted on the request.
  virtual void send(ClientRequest request, Done done) = 0;
  // Streams the body of a 2xx response as it arrives (SSE); on_data false stops it, and `done` gets
  // the head with `truncated` set. The body of any other response goes to `done` as with send().
  // `timeout` bounds the time to the head and then every silence, not the whole.
  virtual void stream(ClientRequest request, std::function<bool(BytesView)> on_data, Done done) = 0;
};

}  // namespace sandtrail::http
