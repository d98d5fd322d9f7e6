// SPDX-License-Identifier: Apache-2.0
// TLS over one connected socket that does not block (RFC 8446; a client also RFC 5246). Every call
// returns at once: with error would_block it is to be repeated once the socket is ready. Knows
// nothing of Asio's loops. Not thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "hello_guard.h"
#include "http/message.h"
#include "tls_settings.h"

namespace sandtrail::http {

using boost::system::error_code;

class TlsSession {
 public:
  // A client checks the server's certificate against `host`, a name or an IP literal, and names it
  // to the peer (SNI). `settings` must outlive it. Null if OpenSSL refuses the name or has no
  // memory.
  static std::unique_ptr<TlsSession> connect(TlsSettings& settings, int socket,
                                             const std::string& host);
  // `early` was read from the socket and followed by `guard`.
  static std::unique_ptr<TlsSession> accept(TlsSettings& settings, int socket, Bytes early,
                                            HelloGuard guard);
  ~TlsSession();

  error_code handshake();
  // Errors: eof after the peer's orderly end, would_block, the socket's, or one of TLS.
  std::size_t read(char* out, std::size_t bytes_max, error_code& error);
  // Takes at least a byte unless it fails. After would_block the same bytes must be given again.
  std::size_t write(const char* in, std::size_t bytes, error_code& error);
  // Tells the peer that no more will come, if there is space for that.
  void say_end();
  // Nothing touches the socket any more; every call fails.
  void detach() { link_.socket = -1; }

  // What the last call that would have blocked waits for is space to write, not input.
  bool wants_write() const { return wants_write_; }
  bool has_input() const { return SSL_pending(ssl_.get()) > 0; }
  // From a handshake that is done; nullopt if the peer has no certificate or one without a role.
  std::optional<PeerIdentity> peer() const;
  // After a failed handshake: what to tell the caller. denied: the server has another role.
  Error failure(const error_code& error) const;

 private:
  friend int verify_tls_peer(int, X509_STORE_CTX*);
  struct Link {  // what the BIO works with
    int socket = -1;
    int error = 0;  // errno of the last call
    bool ended = false;
    Bytes early;  // given out before the socket's bytes
    HelloGuard guard;
    bool guarded = false;
  };
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  friend struct LinkBio;

  TlsSession(TlsSettings& settings, int socket);
  bool open();
  bool expect(const std::string& host);
  std::size_t settle(int result, std::size_t bytes, error_code& error);

  TlsSettings& settings_;
  Link link_;
  bool wants_write_ = false;
  bool broken_ = false;     // OpenSSL allows no further call
  std::string wrong_role_;  // the server's, if it is not the one that is asked for
  std::unique_ptr<SSL, Free> ssl_;
};

// OpenSSL's callback for each certificate of a chain: beyond OpenSSL's own checks, a client must
// say who it is, and a server must be what is asked for.
int verify_tls_peer(int accepted, X509_STORE_CTX* store);

}  // namespace sandtrail::http
