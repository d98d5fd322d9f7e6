// SPDX-License-Identifier: Apache-2.0
// A connected byte stream, plain or TLS, behind one face, so that all else is compiled once. Not
// thread-safe: everything runs on the thread of its io_context.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "stream_socket.h"

namespace sandtrail::http {

using boost::system::error_code;

class Transport {
 public:
  using Done = std::function<void(error_code)>;
  using DoneBytes = std::function<void(error_code, std::size_t)>;

  virtual ~Transport() = default;
  virtual StreamSocket& socket() = 0;
  virtual bool encrypted() const = 0;
  // Plain: calls `done` at once.
  virtual void handshake(Done done) = 0;
  // One read and one write may be under way at a time. The callback must keep the Transport alive.
  virtual void read_some(asio::mutable_buffer buffer, DoneBytes done) = 0;
  virtual void write(std::vector<asio::const_buffer> buffers, DoneBytes done) = 0;

  void close() {
    error_code ignored;
    socket().close(ignored);
  }
};

// Settings of TLS for a whole client. Thread-safe once made.
class TlsSettings {
 public:
  virtual ~TlsSettings() = default;
  // Checks the peer's certificate against `host` (name or IP literal) and names it to the peer
  // (SNI).
  virtual Result<std::shared_ptr<Transport>> make(asio::io_context& context,
                                                  const std::string& host) = 0;
};
// TLS 1.2 or newer. `ca_file` empty: the system's authorities.
Result<std::unique_ptr<TlsSettings>> make_tls_settings(const std::string& ca_file,
                                                       bool verify_peer);

std::shared_ptr<Transport> make_plain_transport(asio::io_context& context);

}  // namespace sandtrail::http
