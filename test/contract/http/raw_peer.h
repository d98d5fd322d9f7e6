// SPDX-License-Identifier: Apache-2.0
// Peers that speak bytes rather than HTTP, so that they can misbehave. Loopback only.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "tls_layer.h"

namespace sandtrail::http::test {

// How long a test waits before it says that something never happened. Not a speed to be kept.
inline constexpr int kPatienceMs = 20'000;

// A connected TCP socket, plain or with TLS. Blocking, with kPatienceMs as the limit of every wait.
class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(UniqueFd fd);
  static RawSocket connect(std::uint16_t port);
  // From another address of loopback, as "127.0.0.2".
  static RawSocket connect_from(const char* address, std::uint16_t port);
  // With small segments and windows: the kernel takes well under 512 KiB that nobody reads.
  static RawSocket connect_narrow(std::uint16_t port);

  // From here on everything goes through TLS. False: the handshake failed.
  bool start_tls(const TlsPeer& peer);
  TlsLayer& tls() { return *tls_; }

  bool send(std::string_view bytes);                        // false: the peer is gone
  std::string receive_some(std::size_t bytes_max = 65536);  // "" at the end, by reset as well
  // Everything up to and with `end`, or up to the peer's end.
  std::string receive_until(std::string_view end);
  std::string receive_all();
  // One response with Content-Length or chunked: head and body as they came.
  std::string receive_response(bool with_body = true);
  bool readable();               // bytes or the peer's end are there
  bool ended();                  // the peer closed or reset, within the patience
  bool ended_cleanly();          // as ended(), but not by reset, nor without the end of TLS
  void shutdown_write();         // the end of TLS as well
  void reset();                  // close with RST
  void close() { fd_.reset(); }  // without the end of TLS
  int get() const { return fd_.get(); }

 private:
  static bool send_plain(int fd, std::string_view bytes);
  static std::string receive_plain(int fd, std::size_t bytes_max);

  UniqueFd fd_;
  std::string ahead_;  // received behind the last receive_until()
  std::unique_ptr<TlsLayer> tls_;
};

// Calls `script(socket, n)` for the n-th connection (from 0), each on a thread of its own. The
// destructor waits for them, so the peers must be closed before.
class RawServer {
 public:
  using Script = std::function<void(RawSocket&, int)>;
  explicit RawServer(Script script) : RawServer(std::move(script), false) {}
  ~RawServer();
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  std::string url(std::string_view target = "/") const;

 protected:
  RawServer(Script script, bool tls);

 private:
  void serve();

  UniqueFd listener_;
  std::uint16_t port_ = 0;
  Script script_;
  const bool tls_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> scripts_;  // of thread_ until it ends
  std::thread thread_;
};

// The two ways that a test of a well-behaved or failing server runs.
class PlainRawServer final : public RawServer {
 public:
  explicit PlainRawServer(Script script) : RawServer(std::move(script), false) {}
};
// Asks for a certificate; a connection whose handshake fails counts, but runs no script.
class TlsRawServer final : public RawServer {
 public:
  explicit TlsRawServer(Script script) : RawServer(std::move(script), true) {}
};

// True once `condition` holds; false after the patience.
bool eventually(const std::function<bool()>& condition);

}  // namespace sandtrail::http::test
