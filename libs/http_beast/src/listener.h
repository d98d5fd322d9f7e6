// SPDX-License-Identifier: Apache-2.0
// The listening socket of a server, TCP or unix.
//
// A unix socket's file outlives a server that was killed. Whoever holds the lock on "<path>.lock"
// is the server at `path`, so a file found there under the lock is a dead one's and is removed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "http/server.h"
#include "stream_socket.h"

namespace sandtrail::http {

// Used on the thread of its io_context, but for port().
class Listener {
 public:
  // `options.address` and `options.port`; errors as start_server().
  static Result<std::unique_ptr<Listener>> open(asio::io_context& context,
                                                const ServerOptions& options);
  ~Listener();  // close() and the removal of a unix socket's file

  StreamAcceptor& acceptor() { return acceptor_; }
  std::uint16_t port() const { return port_; }

 private:
  explicit Listener(asio::io_context& context) : acceptor_(context) {}
  Status open_tcp(const ServerOptions& options);
  Status open_unix(const ServerOptions& options, const std::string& path);

  StreamAcceptor acceptor_;
  std::uint16_t port_ = 0;
  std::string path_;  // of our unix socket; empty if there is none
  UniqueFd lock_;
};

inline constexpr std::string_view kUnixAddress = "unix";
// The address of a peer as text, without port; kUnixAddress if it has none.
std::string address_text(const StreamEndpoint& peer);

}  // namespace sandtrail::http
