// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificates.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/limits.h"
#include "x509_parts.h"

namespace sandtrail {
namespace {

using x509::CertificatePtr;
using x509::KeyPtr;

constexpr std::size_t kTextBytesMax = 64;   // RFC 5280 appendix A.1: of an OU, of a CN
constexpr std::size_t kSerialBytes = 16;    // of at most 20
constexpr std::size_t kKeyIdBytes = 20;     // RFC 7093 section 2, method 1: of SHA-256, the first
constexpr std::size_t kLabelBytesMax = 63;  // RFC 1035 section 2.3.4
constexpr std::size_t kHostBytesMax = 253;

Error wrong(std::string message, std::string hint = "") {
  return {ErrorCode::invalid_argument, std::move(message), std::move(hint)};
}

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Status check_text(std::string_view what, const std::string& text) {
  const bool right =
      !text.empty() && text.size() <= kTextBytesMax && letter_or_digit(text.front()) &&
      std::all_of(text.begin(), text.end(),
                  [](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
  if (right) return {};
  return wrong("the " + std::string(what) +
               " of a certificate is 1 to 64 letters, digits, '.', "
               "'_' and '-', beginning with a letter or digit");
}

Status check_lifetime(Millis lifetime) {
  if (lifetime >= minutes(1) && lifetime <= limits::kCertificateLifetimeMax) return {};
  return wrong("a certificate is valid for a minute at least, and for " +
               std::to_string(limits::kCertificateLifetimeMax.count / days(1).count) +
               " days at most");
}

bool is_host_name(std::string_view name) {
  if (name.size() > kHostBytesMax) return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : std::string(name) + ".") {
    const bool alphanumeric = letter_or_digit(c) && !(c >= 'A' && c <= 'Z');
    if (c == '.' ? before == '.' || before == '-' : !alphanumeric && (c != '-' || before == '.')) {
      return false;
    }
    label = c == '.' ? 0 : label + 1;
    if (label > kLabelBytesMax) return false;
    before = c;
  }
  // With a number at the end it would be read as an IPv4 address.
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// As OpenSSL's text form of an alternative name: it has neither commas nor colons to escape, but
// those of IPv6.
Result<std::string> alternative_name(const std::string& address) {
  for (const int family : {AF_INET, AF_INET6}) {
    std::array<unsigned char, 16> raw;
    char canonical[INET6_ADDRSTRLEN];
    if (inet_pton(family, address.c_str(), raw.data()) != 1) continue;
    if (inet_ntop(family, raw.data(), canonical, sizeof canonical) == address) {
      return "IP:" + address;
    }
    return wrong(address + " is no canonical address", std::string("write it ") + canonical);
  }
  if (is_host_name(address)) return "DNS:" + address;
  return wrong("'" + address + "' is neither an IP address nor a host name",
               "a name is lower-case letters, digits, '-' and '.', without a port");
}

Result<std::string> alternative_names(const std::vector<std::string>& addresses) {
  if (addresses.empty()) {
    return wrong("a certificate needs an address", "give what others connect to");
  }
  if (addresses.size() > limits::kCertificateAddressesMax) {
    return wrong("a certificate holds at most " + std::to_string(limits::kCertificateAddressesMax) +
                 " addresses");
  }
  std::string out;
  for (const std::string& address : addresses) {
    ST_ASSIGN(const std::string name, alternative_name(address));
    out += (out.empty() ? "" : ",") + name;
  }
  return out;
}

void add_text(X509& certificate, int kind, const std::string& text) {
  // RFC 5280 section 4.1.2.4: new certificates use UTF8String.
  ST_ASSERT(X509_NAME_add_entry_by_NID(X509_get_subject_name(&certificate), kind, V_ASN1_UTF8STRING,
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()), -1, 0) == 1);
}

void add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ST_ASSERT(extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::string key_identifier(X509& certificate) {
  std::array<unsigned char, 32> digest;
  unsigned size = 0;
  ST_ASSERT(X509_pubkey_digest(&certificate, EVP_sha256(), digest.data(), &size) == 1);
  return hex({reinterpret_cast<const char*>(digest.data()), kKeyIdBytes});
}

void set_serial(X509& certificate, Random& random) {
  Bytes bytes = random.bytes(kSerialBytes);
  // Positive, and never shorter: RFC 5280 section 4.1.2.2.
  bytes[0] = static_cast<char>((bytes[0] & 0x7f) | 0x40);
  BIGNUM* number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), kSerialBytes, nullptr);
  ST_ASSERT(number != nullptr &&
            BN_to_ASN1_INTEGER(number, X509_get_serialNumber(&certificate)) != nullptr);
  BN_free(number);
}

// UTCTime until 2049, then GeneralizedTime, as section 4.1.2.5 wants it.
void set_time(ASN1_TIME* to, UnixMs time) {
  ST_ASSERT(ASN1_TIME_set(to, static_cast<std::time_t>(time.count / 1000)) != nullptr);
}

// All that both kinds have, but for the subject.
CertificatePtr begin_certificate(EVP_PKEY& key, Millis lifetime, const Clock& clock,
                                 Random& random) {
  CertificatePtr certificate(X509_new());
  ST_ASSERT(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
            X509_set_pubkey(certificate.get(), &key) == 1);
  set_serial(*certificate, random);
  const UnixMs now = clock.now();
  set_time(X509_getm_notBefore(certificate.get()), now - kCertificateLead);
  set_time(X509_getm_notAfter(certificate.get()), now + lifetime);
  return certificate;
}

CertifiedKey finish(X509& certificate, EVP_PKEY& key, EVP_PKEY& issuer_key) {
  ST_ASSERT(X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0);
  return {x509::certificate_pem(certificate), x509::key_pem(key)};
}

// Fills in `certificate` and `key` of the authority.
Status open_authority(const CertifiedKey& authority, const CertificateWish& wish,
                      const Clock& clock, CertificatePtr& certificate, KeyPtr& key) {
  certificate = x509::parse_certificate(authority.certificate);
  key = x509::parse_key(authority.key.view());
  if (!certificate || !key) {
    return Error{ErrorCode::corrupt,
                 certificate ? "the authority's key is no private key in PEM form"
                             : "the authority's certificate is no certificate in PEM form",
                 ""};
  }
  const bool pair = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!pair) {
    return Error{ErrorCode::corrupt, "the authority's key is not that of its certificate", ""};
  }
  if (X509_check_ca(certificate.get()) != 1) {
    return Error{ErrorCode::conflict, "the certificate is not that of an authority", ""};
  }
  const ASN1_TIME* until = X509_get0_notAfter(certificate.get());
  if (ASN1_TIME_cmp_time_t(until, clock.now().count / 1000) < 0) {
    return Error{ErrorCode::conflict, "the authority has expired", "make a new one"};
  }
  if (ASN1_TIME_cmp_time_t(until, (clock.now() + wish.lifetime).count / 1000) < 0) {
    return wrong("the certificate would outlive its authority",
                 "ask for fewer days, or make a new authority");
  }
  return {};
}

}  // namespace

Result<CertifiedKey> create_authority(const std::string& name, Millis lifetime, const Clock& clock,
                                      Random& random) {
  ST_CHECK_OK(check_text("name", name));
  ST_CHECK_OK(check_lifetime(lifetime));
  const KeyPtr key = x509::new_p256_key(random);
  const CertificatePtr made = begin_certificate(*key, lifetime, clock, random);
  X509& certificate = *made;
  add_text(certificate, NID_commonName, name);
  ST_ASSERT(X509_set_issuer_name(&certificate, X509_get_subject_name(&certificate)) == 1);
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, key_identifier(certificate));
  return finish(certificate, *key, *key);
}

Result<CertifiedKey> issue_certificate(const CertifiedKey& authority, const CertificateWish& wish,
                                       const Clock& clock, Random& random) {
  ST_CHECK_OK(check_text("role", wish.role));
  ST_CHECK_OK(check_text("name", wish.name));
  ST_CHECK_OK(check_lifetime(wish.lifetime));
  ST_ASSIGN(const std::string names, alternative_names(wish.addresses));
  CertificatePtr issuer;
  KeyPtr issuer_key;
  ST_CHECK_OK(open_authority(authority, wish, clock, issuer, issuer_key));
  const KeyPtr key = x509::new_p256_key(random);
  const CertificatePtr made = begin_certificate(*key, wish.lifetime, clock, random);
  X509& certificate = *made;
  add_text(certificate, NID_organizationalUnitName, wish.role);
  add_text(certificate, NID_commonName, wish.name);
  ST_ASSERT(X509_set_issuer_name(&certificate, X509_get_subject_name(issuer.get())) == 1);
  const auto add = [&](int kind, const std::string& value) {
    add_extension(certificate, *issuer, kind, value);
  };
  add(NID_basic_constraints, "critical,CA:FALSE");
  add(NID_key_usage, "critical,digitalSignature");
  add(NID_ext_key_usage, "serverAuth,clientAuth");
  add(NID_subject_alt_name, names);
  add(NID_subject_key_identifier, key_identifier(certificate));
  add(NID_authority_key_identifier, "keyid:always");
  return finish(certificate, *key, *issuer_key);
}

}  // namespace sandtrail
