// SPDX-License-Identifier: Apache-2.0
#include "tls_layer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <map>
#include <stdexcept>

#include "test_certificates.h"

namespace sandtrail::http::test {
namespace {

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + " failed");
}

SSL_CTX* new_context(const TlsPeer& peer) {
  SSL_CTX* context = SSL_CTX_new(peer.server ? TLS_server_method() : TLS_client_method());
  must(context != nullptr, "SSL_CTX_new");
  if (peer.old) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (!peer.name.empty()) {
    const std::string base = test_certificates().path(peer.name);
    must(SSL_CTX_use_certificate_chain_file(context, (base + ".crt").c_str()) == 1 &&
             SSL_CTX_use_PrivateKey_file(context, (base + ".key").c_str(), SSL_FILETYPE_PEM) == 1,
         "loading a certificate");
  }
  if (peer.server) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    const std::string ca = test_certificates().path("ca.crt");
    must(SSL_CTX_load_verify_file(context, ca.c_str()) == 1, "loading the authority");
  }
  return context;
}

// To make one takes longer than a handshake.
SSL_CTX* context_for(const TlsPeer& peer) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>> known;
  const std::string key = peer.name + (peer.server ? " server" : "") + (peer.old ? " old" : "");
  const std::lock_guard lock(mutex);
  auto found = known.find(key);
  if (found == known.end()) {
    found = known.try_emplace(key, new_context(peer), SSL_CTX_free).first;
  }
  return found->second.get();
}

}  // namespace

TlsLayer::TlsLayer(const TlsPeer& peer, Wire wire) : wire_(std::move(wire)) {
  ssl_ = SSL_new(context_for(peer));
  must(ssl_ != nullptr, "SSL_new");
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(ssl_), -1);  // empty is not the end
  if (!peer.protocols.empty()) {
    const std::string list = static_cast<char>(peer.protocols.size()) + peer.protocols;
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  if (peer.server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsLayer::~TlsLayer() {
  SSL_free(ssl_);
}

// Sends what OpenSSL has written. Who waits for his turn must not hold what the sender needs.
bool TlsLayer::flush(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const bool sent = send_written();
  lock.lock();
  return sent;
}

bool TlsLayer::send_written() {
  const std::lock_guard order(sending_);
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &data);
    if (size > 0) bytes.assign(data, static_cast<std::size_t>(size));
    BIO_reset(SSL_get_wbio(ssl_));
  }
  return bytes.empty() || wire_.send(bytes);
}

// Waits for more of the other side; false at its end.
bool TlsLayer::pull(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const std::string bytes = wire_.receive();
  lock.lock();
  if (bytes.empty()) return false;
  return BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool TlsLayer::handshake() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    const int kind = SSL_get_error(ssl_, result);
    if (kind == SSL_ERROR_SSL) error_ = ERR_reason_error_string(ERR_peek_error());
    const bool sent = flush(lock);
    if (result == 1) return sent;
    if (kind != SSL_ERROR_WANT_READ || !pull(lock)) return false;
  }
}

bool TlsLayer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, 64 * 1024);
    std::unique_lock lock(mutex_);
    ERR_clear_error();
    if (SSL_write(ssl_, piece.data(), static_cast<int>(piece.size())) <= 0) return false;
    if (!flush(lock)) return false;
    bytes.remove_prefix(piece.size());
  }
  return true;
}

std::string TlsLayer::receive_some(std::size_t bytes_max) {
  std::string out(bytes_max, '\0');
  std::unique_lock lock(mutex_);
  for (;;) {
    ERR_clear_error();
    const int count = SSL_read(ssl_, out.data(), static_cast<int>(bytes_max));
    if (count > 0) {
      out.resize(static_cast<std::size_t>(count));
      return out;
    }
    const int kind = SSL_get_error(ssl_, count);
    if (kind == SSL_ERROR_SSL) error_ = ERR_reason_error_string(ERR_peek_error());
    if (kind != SSL_ERROR_WANT_READ || !pull(lock)) return "";
  }
}

bool TlsLayer::readable() {
  const std::lock_guard lock(mutex_);
  return SSL_pending(ssl_) > 0 || BIO_ctrl_pending(SSL_get_rbio(ssl_)) > 0;
}

bool TlsLayer::ended_orderly() {
  const std::lock_guard lock(mutex_);
  return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsLayer::send_end() {
  std::unique_lock lock(mutex_);
  ERR_clear_error();
  SSL_shutdown(ssl_);
  return flush(lock);
}

std::string TlsLayer::error() {
  const std::lock_guard lock(mutex_);
  return error_;
}

std::string TlsLayer::certificate_name() {
  const std::lock_guard lock(mutex_);
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return "";
  char name[128] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

bool TlsLayer::has_ticket() {
  const std::lock_guard lock(mutex_);
  return SSL_SESSION_is_resumable(SSL_get_session(ssl_)) == 1;
}

}  // namespace sandtrail::http::test
