// SPDX-License-Identifier: Apache-2.0
// TLS for raw sockets, straight from OpenSSL: what our own TLS is held against.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

struct ssl_st;

namespace sandtrail::http::test {

// What a peer shows and how it speaks. A client checks nothing; a server asks for a certificate of
// `ca_file`.
struct TlsPeer {
  std::string name = "host";  // of the certificate, as test_certificates().path(); "": none
  bool server = false;
  bool old = false;       // TLS 1.2 at most
  std::string protocols;  // as in ALPN; "": none
};

// One side of a connection. One thread may send while another one receives.
class TlsLayer {
 public:
  // How it reaches the wire: send gives false, and receive "", when the other side is gone.
  struct Wire {
    std::function<bool(std::string_view)> send;
    std::function<std::string()> receive;
  };
  TlsLayer(const TlsPeer& peer, Wire wire);
  ~TlsLayer();

  bool handshake();  // blocks; false if either side refused
  bool send(std::string_view bytes);
  std::string receive_some(std::size_t bytes_max);  // "" at the end
  bool readable();                                  // without looking at the wire
  bool ended_orderly();                             // the other side said so
  bool send_end();                                  // says so
  std::string error();                              // of OpenSSL, for the last failure
  std::string certificate_name();                   // the CN of the other side
  bool has_ticket();                                // could resume the session

 private:
  bool flush(std::unique_lock<std::mutex>& lock);
  bool send_written();
  bool pull(std::unique_lock<std::mutex>& lock);

  Wire wire_;
  std::mutex mutex_;    // of OpenSSL's state
  std::mutex sending_;  // keeps records in their order; taken before mutex_
  ssl_st* ssl_ = nullptr;
  std::string error_;
};

}  // namespace sandtrail::http::test
