// SPDX-License-Identifier: Apache-2.0
// The outbound HTTP/1.1 client on Boost.Asio and OpenSSL, with Boost.Beast as parser.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/result.h"
#include "http/client.h"

namespace sandtrail::http {

struct ClientOptions {
  AddressPolicy policy;                                        // its CIDRs must be valid_cidr()
  int threads = 1;                                             // an origin is served by one of them
  std::size_t in_flight_max = limits::kHttpClientInFlightMax;  // all origins together
  std::string ca_file;  // PEM; replaces the system's certificate authorities if not empty
  // PEM: what the client shows to servers that ask for it (mutual TLS), and then TLS 1.3 only. Both
  // or neither; the key is denied if group or others may read it. Changed files (these and ca_file)
  // are used by new connections, as with ServerTls.
  std::string cert_file;
  std::string key_file;
  // Not empty: the server's certificate must have this as its one OU, else the answer is denied and
  // nothing was sent. Needs verify_peer and a ca_file.
  std::string peer_role;
  std::function<void(const Status&)> on_reload;  // as ServerTls::on_reload
  bool verify_peer = true;  // false: any certificate will do. For development only
  std::string user_agent = "sandtrail";
  // Name to textual addresses; may block, must not throw. Empty: the system's resolver.
  std::function<Result<std::vector<std::string>>(const std::string& host)> look_up;
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();  // for timings and ages
};

// Errors: invalid_argument (options), not_found, denied or corrupt (the files). The destructor ends
// all requests in flight as cancelled and must not run on one of its own threads.
Result<std::unique_ptr<Client>> make_client(ClientOptions options);

}  // namespace sandtrail::http
