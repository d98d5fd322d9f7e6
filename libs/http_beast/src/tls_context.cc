// SPDX-License-Identifier: Apache-2.0
// From files to an SSL_CTX. The files are read by us, so that errors name them and the key's mode
// is looked at.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "tls_session.h"
#include "tls_settings.h"

namespace sandtrail::http {
namespace {

template <typename T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
using CertificatePtr = std::unique_ptr<X509, Freed<X509, X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

Error set_up_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {ErrorCode::internal,
          std::string("cannot set up TLS: ") + (reason == nullptr ? "unknown" : reason), ""};
}

BioPtr bio_over(BytesView bytes) {
  if (bytes.empty()) bytes = " ";  // OpenSSL takes no null pointer
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Result<std::vector<CertificatePtr>> read_certificates(const std::string& path) {
  ST_ASSIGN(const Bytes text, read_file(path, limits::kTlsFileBytesMax));
  const BioPtr bio = bio_over(text);
  std::vector<CertificatePtr> out;
  for (;;) {
    CertificatePtr next(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (!next) break;
    out.push_back(std::move(next));
  }
  // The end shows as an error that says so.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.empty() || !at_end) {
    return Error{ErrorCode::corrupt, "cannot read the certificates in " + path,
                 "it must hold certificates in PEM form"};
  }
  return out;
}

Status check_dates(X509* certificate, const std::string& path, const Clock& clock) {
  const std::time_t now = clock.now().count / 1000;
  const bool early = ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate), now) > 0;
  const bool late = ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate), now) < 0;
  if (!early && !late) return {};
  return Error{ErrorCode::invalid_argument,
               "the certificate in " + path + (late ? " has expired" : " is not valid yet"),
               late ? "issue another one: sandtrail certs issue --help" : "check the clock"};
}

Status use_certificate(SSL_CTX* context, const TlsPlan& plan) {
  ST_ASSIGN(const auto certificates, read_certificates(plan.cert_file));
  ST_CHECK_OK(check_dates(certificates.front().get(), plan.cert_file, *plan.clock));
  if (SSL_CTX_use_certificate(context, certificates.front().get()) != 1) return set_up_error();
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) return set_up_error();
  }
  ST_ASSIGN(Bytes text, read_secret_file(plan.key_file, limits::kTlsFileBytesMax));
  const BioPtr bio = bio_over(text);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  OPENSSL_cleanse(text.data(), text.size());
  ERR_clear_error();
  if (!key) {
    return Error{ErrorCode::corrupt, "cannot read the private key in " + plan.key_file,
                 "it must be in PEM form, without a passphrase"};
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Error{
        ErrorCode::corrupt,
        "the key in " + plan.key_file + " is not that of the certificate in " + plan.cert_file,
        "put the two files that were made together there"};
  }
  return {};
}

Status trust(SSL_CTX* context, const TlsPlan& plan) {
  if (plan.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return set_up_error();
    return {};
  }
  const auto authorities = read_certificates(plan.ca_file);
  if (!authorities) {
    Error error = authorities.error();
    if (error.code == ErrorCode::not_found) {
      error.message = "no such file of certificate authorities: " + plan.ca_file;
    }
    return error;
  }
  for (const auto& authority : *authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1) {
      return set_up_error();
    }
    // So that a client with several certificates knows which to show (RFC 8446 section 4.2.4).
    if (plan.side == TlsSide::server && SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return set_up_error();
    }
  }
  return {};
}

constexpr unsigned char kHttp11[] = "\x08http/1.1";  // RFC 7301 section 3.1: length, name

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                    const unsigned char* in, unsigned in_bytes, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, kHttp11, sizeof kHttp11 - 1, in, in_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

bool set_rules(SSL_CTX* context, const TlsPlan& plan) {
  const bool server = plan.side == TlsSide::server;
  const bool mutual = !plan.cert_file.empty();
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // A webhook's receiver may be older; among ourselves nobody is.
  bool ok = SSL_CTX_set_min_proto_version(context, mutual ? TLS1_3_VERSION : TLS1_2_VERSION) == 1;
  if (server) {
    // No tickets: a resumed session would skip the certificate, and outlive its authority.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    ok = ok && SSL_CTX_set_num_tickets(context, 0) == 1;
    // The groups that everybody has, none that costs us much more than the client.
    ok = ok && SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
    SSL_CTX_set_max_cert_list(context, limits::kTlsCertificatesBytesMax);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  } else {
    // Unlike the others, zero means that it worked.
    ok = ok && SSL_CTX_set_alpn_protos(context, kHttp11, sizeof kHttp11 - 1) == 0;
  }
  return ok;
}

}  // namespace

Result<TlsContext> load_tls_context(const TlsPlan& plan) {
  const bool server = plan.side == TlsSide::server;
  TlsContext context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()), SSL_CTX_free);
  if (!context) return set_up_error();
  if (!set_rules(context.get(), plan)) return set_up_error();
  if (!plan.cert_file.empty()) ST_CHECK_OK(use_certificate(context.get(), plan));
  if (plan.verify_peer) {
    ST_CHECK_OK(trust(context.get(), plan));
    const int demand = server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | demand, verify_tls_peer);
  }
  return context;
}

}  // namespace sandtrail::http
