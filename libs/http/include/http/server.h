// SPDX-License-Identifier: Apache-2.0
// The HTTP server port. A handler answers when it likes, from any thread; a waiting request holds
// no thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace sandtrail::http {

// The body of a streamed response (SSE). Thread-safe. Dropping the last reference without finish()
// cuts the connection, so that the peer knows the body as incomplete.
class Stream {
 public:
  virtual ~Stream() = default;
  // Queues bytes. False once the peer is gone, or after it fell more than
  // limits::kHttpStreamBufferBytesMax behind (the connection is then cut).
  virtual bool write(Bytes chunk) = 0;
  virtual void finish() = 0;
  // Called once when the connection or, after finish(), the answer ends, for any reason; at once if
  // it already has. Must not own the Stream.
  virtual void on_closed(std::function<void()> closed) = 0;
};

// Answers one request. Exactly one of respond() and start_stream() must be called, once; dropping
// the last reference without either answers 500. Whatever comes after the first is ignored.
// Thread-safe.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void respond(Response response) = 0;
  // Sends the head (status and fields) at once, the body by the stream, chunked.
  virtual std::shared_ptr<Stream> start_stream(Response head) = 0;
  // Called once if the connection ends before the answer, so that a wait can be dropped; never
  // after respond() or start_stream(). A peer that only shut down its sending side is still there.
  // Must not own the Responder.
  virtual void on_closed(std::function<void()> closed) = 0;
};

// Runs on an I/O thread and must not block. Must not throw.
using Handler = std::function<void(Request, std::shared_ptr<Responder>)>;

// Mutual TLS 1.3 (RFC 8446): files in PEM form. A client must have a certificate that an authority
// in `ca_file` issued for clients, in time, with one OU and one CN; else its handshake is refused,
// and the handler never sees it. No session is resumed, so each connection proves it anew.
struct ServerTls {
  std::string cert_file;  // the server's own certificate, then the authorities between, if any
  std::string key_file;   // its private key; denied if group or others may read it
  std::string ca_file;    // whom clients' certificates must come from
  // Changed files are used by new connections, at the latest limits::kTlsFilesPeriod after the
  // change; the old ones stay if the new ones cannot be used. Called after either, on an I/O
  // thread. May be empty. Must not throw.
  std::function<void(const Status&)> on_reload;
};

struct ServerOptions {
  // An IPv4 or IPv6 literal, or "unix:" and the absolute path of a socket (mode 0600; made anew,
  // removed at stop(); "<path>.lock" beside it says that a server lives).
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;          // 0: the kernel chooses, see Server::port()
  std::optional<ServerTls> tls;    // nullopt: plain. Not with a unix socket
  std::size_t body_bytes_max = 0;  // 0: limits::kHttpBodyBytesMax
  // Bytes of all request bodies together that are being received or handled; 0:
  // limits::kHttpBodiesBytesMax. A request that goes above it: 503 and close.
  std::size_t bodies_bytes_max = 0;
  // 0: limits::kHttpConnectionsMax. Fewer if the process may not have as many open files. Above it:
  // 503 and close.
  std::size_t connections_max = 0;
  // 0: limits::kHttpConnectionsPerAddressMax; above it: 503 and close. Unix sockets have no such
  // limit.
  std::size_t connections_per_address_max = 0;
  // Answers for requests that never reach the handler (400, 408, 413, 414, 417, 431, 501, 503,
  // 505) or that it left unanswered (500): given the status and a detail, returns the response (a
  // problem document). Must not throw. Empty: the detail as text/plain. A 503 without Retry-After
  // gets one.
  std::function<Response(int status, std::string detail)> reject;
};

// Limits and time-outs are those of base/limits.h. The destructor stops it; neither may be called
// from a handler or callback. Thread-safe.
class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Stops accepting, lets running answers finish for at most `deadline`, closes the rest.
  virtual void stop(Millis deadline) = 0;
};

}  // namespace sandtrail::http
