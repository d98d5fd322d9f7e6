// SPDX-License-Identifier: Apache-2.0
// A byte stream over a socket, plain or TLS, behind one face, so that all else is compiled once.
// Not thread-safe: everything runs on the thread of its io_context. Every callback must keep the
// Transport alive.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "stream_socket.h"

namespace sandtrail::http {

using boost::system::error_code;

class TlsSettings;

class Transport {
 public:
  using Done = std::function<void(error_code)>;
  using DoneBytes = std::function<void(error_code, std::size_t)>;
  using DoneHandshake = std::function<void(Status)>;

  explicit Transport(StreamSocket socket) : socket_(std::move(socket)) {}
  virtual ~Transport() = default;
  StreamSocket& socket() { return socket_; }
  virtual bool encrypted() const { return false; }

  // Once, when the socket is connected; nothing else before it is done. Plain: calls `done` at
  // once. Errors: unavailable; denied (a client: the server has another role); invalid_argument (a
  // server: the client speaks plain HTTP, and has been read from).
  virtual void handshake(DoneHandshake done) { done({}); }
  // Of the handshake; nullopt if it told none.
  virtual std::optional<PeerIdentity> peer() const { return std::nullopt; }

  // One read and one write may be under way at a time.
  // Calls `done` when there may be something to read. Holds no buffer meanwhile.
  virtual void wait_readable(Done done) {
    socket_.async_wait(StreamSocket::wait_read, std::move(done));
  }
  // Never waits: would_block if nothing is there. The socket must be non-blocking.
  virtual std::size_t read_now(asio::mutable_buffer buffer, error_code& error) {
    return socket_.read_some(buffer, error);
  }
  virtual void read_some(asio::mutable_buffer buffer, DoneBytes done) = 0;
  virtual void write(std::vector<asio::const_buffer> buffers, DoneBytes done) = 0;

  // The peer will know that no more comes.
  virtual void shutdown_send(error_code& error) {
    socket_.shutdown(StreamSocket::shutdown_send, error);
  }
  virtual void close() {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  StreamSocket socket_;
};

std::shared_ptr<Transport> make_plain_transport(StreamSocket socket);
// `settings` must outlive it. For `host` see TlsSession::connect().
std::shared_ptr<Transport> make_tls_client(StreamSocket socket, TlsSettings& settings,
                                           std::string host);
std::shared_ptr<Transport> make_tls_server(StreamSocket socket, TlsSettings& settings);

}  // namespace sandtrail::http
