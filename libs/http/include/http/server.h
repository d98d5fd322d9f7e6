// SPDX-License-Identifier: Apache-2.0
// The HTTP server port. A handler answers when it likes, from any thread; a waiting request holds
// no thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace sandtrail::http {

// The body of a streamed response (SSE). Thread-safe.
class Stream {
 public:
  virtual ~Stream() = default;
  // Queues bytes. False once the peer is gone, or after it fell more than
  // limits::kHttpStreamBufferBytesMax behind (the connection is then cut).
  virtual bool write(Bytes chunk) = 0;
  virtual void finish() = 0;
  // Called once when the connection ends for any reason, at once if it already has.
  virtual void on_closed(std::function<void()> closed) = 0;
};

// Answers one request. Exactly one of respond() and start_stream() must be called, once; dropping
// the last reference without either answers 500. Thread-safe.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void respond(Response response) = 0;
  // Sends the head (status and fields) at once, the body by the stream, chunked.
  virtual std::shared_ptr<Stream> start_stream(Response head) = 0;
  // Called once if the peer goes away before the answer, so that a wait can be dropped.
  virtual void on_closed(std::function<void()> closed) = 0;
};

// Runs on an I/O thread and must not block. Must not throw.
using Handler = std::function<void(Request, std::shared_ptr<Responder>)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;          // 0: the kernel chooses, see Server::port()
  std::size_t body_bytes_max = 0;  // 0: limits::kHttpBodyBytesMax
  // Answers for requests that never reach the handler (400, 408, 413, 414, 431, 501, 503):
  // given the status and a detail, returns the response (a problem document).
  std::function<Response(int status, std::string detail)> reject;
};

// Limits and time-outs are those of base/limits.h. The destructor stops it.
class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Stops accepting, lets running answers finish for at most `deadline`, closes the rest.
  virtual void stop(Millis deadline) = 0;
};

}  // namespace sandtrail::http
