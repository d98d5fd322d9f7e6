// SPDX-License-Identifier: Apache-2.0
#include "tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <cstring>

#include "tls_peer.h"

namespace sandtrail::http {

namespace asio = boost::asio;

// OpenSSL's own socket BIO raises SIGPIPE when the peer is gone, and looks at nothing it reads.
struct LinkBio {
  static TlsSession::Link& link(BIO* bio) {
    return *static_cast<TlsSession::Link*>(BIO_get_data(bio));
  }

  static int read(BIO* bio, char* out, int bytes_max) {
    TlsSession::Link& to = link(bio);
    BIO_clear_retry_flags(bio);
    if (!to.early.empty()) {  // the guard has seen it
      const std::size_t count = std::min(to.early.size(), static_cast<std::size_t>(bytes_max));
      std::memcpy(out, to.early.data(), count);
      to.early.erase(0, count);
      return static_cast<int>(count);
    }
    const ssize_t count = ::recv(to.socket, out, static_cast<std::size_t>(bytes_max), 0);
    to.error = count < 0 ? errno : 0;
    if (count == 0) to.ended = true;
    if (count < 0 && again(to.error)) BIO_set_retry_read(bio);
    if (count > 0 && to.guarded) {
      const auto state = to.guard.feed({out, static_cast<std::size_t>(count)});
      to.guarded = state != HelloGuard::State::encrypted;
      if (state == HelloGuard::State::failed) {
        to.error = EPROTO;
        return -1;
      }
    }
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* in, int bytes) {
    TlsSession::Link& to = link(bio);
    BIO_clear_retry_flags(bio);
    const ssize_t count = ::send(to.socket, in, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
    to.error = count < 0 ? errno : 0;
    if (count < 0 && again(to.error)) BIO_set_retry_write(bio);
    return static_cast<int>(count);
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return link(bio).ended ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static bool again(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

  // Null without memory; never freed, as every connection uses it.
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* out = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sandtrail");
      if (out == nullptr) return out;
      BIO_meth_set_read(out, read);
      BIO_meth_set_write(out, write);
      BIO_meth_set_ctrl(out, control);
      return out;
    }();
    return made;
  }
};

TlsSession::TlsSession(TlsSettings& settings, int socket) : settings_(settings) {
  link_.socket = socket;
}

TlsSession::~TlsSession() = default;

bool TlsSession::open() {
  ssl_.reset(SSL_new(settings_.current().get()));
  BIO* bio = LinkBio::method() == nullptr ? nullptr : BIO_new(LinkBio::method());
  if (!ssl_ || bio == nullptr) return false;
  BIO_set_data(bio, &link_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which takes it
  SSL_set_app_data(ssl_.get(), this);
  // By our clock, as everything else.
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()),
                             settings_.plan().clock->now().count / 1000);
  return true;
}

std::unique_ptr<TlsSession> TlsSession::connect(TlsSettings& settings, int socket,
                                                const std::string& host) {
  std::unique_ptr<TlsSession> session(new TlsSession(settings, socket));
  if (!session->open() || !session->expect(host)) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_connect_state(session->ssl_.get());
  return session;
}

std::unique_ptr<TlsSession> TlsSession::accept(TlsSettings& settings, int socket, Bytes early,
                                               HelloGuard guard) {
  std::unique_ptr<TlsSession> session(new TlsSession(settings, socket));
  session->link_.early = std::move(early);
  session->link_.guard = guard;
  session->link_.guarded = guard.state() != HelloGuard::State::encrypted;
  if (!session->open()) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

bool TlsSession::expect(const std::string& host) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return true;
  // RFC 9525 section 2: the subject's CN is no host name, whatever it looks like.
  X509_VERIFY_PARAM_set_hostflags(
      param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // RFC 6066 section 3: literals are not allowed as server names.
  return X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
}

// What OpenSSL says of a call. Its queue of errors belongs to the thread, so every call begins with
// an empty one.
std::size_t TlsSession::settle(int result, std::size_t bytes, error_code& error) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      error = {};
      return bytes;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = SSL_want_write(ssl_.get());
      error = asio::error::would_block;
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      error = asio::error::eof;
      return 0;
    case SSL_ERROR_SSL:
      broken_ = true;
      error = error_code(static_cast<int>(ERR_peek_error()), asio::error::get_ssl_category());
      ERR_clear_error();
      return 0;
    default:
      broken_ = true;
      error = asio::error::connection_reset;
      if (link_.error != 0) error = error_code(link_.error, boost::system::system_category());
      ERR_clear_error();
      return 0;
  }
}

error_code TlsSession::handshake() {
  ERR_clear_error();
  error_code error = asio::error::bad_descriptor;
  if (link_.socket < 0 || broken_) return error;
  settle(SSL_do_handshake(ssl_.get()), 0, error);
  if (!error) link_.guarded = false;
  return error;
}

std::size_t TlsSession::read(char* out, std::size_t bytes_max, error_code& error) {
  ERR_clear_error();
  error = asio::error::bad_descriptor;
  if (link_.socket < 0 || broken_) return 0;
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), out, bytes_max, &count);
  return settle(result, count, error);
}

std::size_t TlsSession::write(const char* in, std::size_t bytes, error_code& error) {
  ERR_clear_error();
  error = asio::error::bad_descriptor;
  if (link_.socket < 0 || broken_) return 0;
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), in, bytes, &count);
  return settle(result, count, error);
}

void TlsSession::say_end() {
  if (link_.socket < 0 || broken_ || !SSL_is_init_finished(ssl_.get())) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::optional<PeerIdentity> TlsSession::peer() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? std::nullopt : identity_of(*certificate);
}

Error TlsSession::failure(const error_code& error) const {
  if (!wrong_role_.empty()) {
    return {ErrorCode::denied,
            "the server's certificate is for the role " + wrong_role_ + ", not for " +
                settings_.plan().peer_role,
            "connect to the right address, or issue the server another certificate"};
  }
  const long why = SSL_get_verify_result(ssl_.get());
  std::string text = error.message();
  if (why != X509_V_OK) text += std::string(": ") + X509_verify_cert_error_string(why);
  return {ErrorCode::unavailable, std::move(text), ""};
}

int verify_tls_peer(int accepted, X509_STORE_CTX* store) {
  if (accepted != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return accepted;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* session = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  const TlsPlan& plan = session->settings_.plan();
  if (plan.side == TlsSide::client && plan.peer_role.empty()) return 1;
  const auto peer = identity_of(*X509_STORE_CTX_get0_cert(store));
  const bool right = peer && (plan.peer_role.empty() || peer->role == plan.peer_role);
  if (right) return 1;
  if (plan.side == TlsSide::client) session->wrong_role_ = peer ? "'" + peer->role + "'" : "none";
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

}  // namespace sandtrail::http
