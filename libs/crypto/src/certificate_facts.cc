// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "crypto/certificates.h"
#include "crypto/digest.h"
#include "x509_parts.h"

namespace sandtrail {
namespace {

using AlternativeNames = std::unique_ptr<GENERAL_NAMES, x509::Freed<GENERAL_NAMES_free>>;

std::string only_text(const X509_NAME* from, int kind) {
  const int at = X509_NAME_get_index_by_NID(from, kind, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(from, kind, at) >= 0) return "";
  unsigned char* bytes = nullptr;
  const int count =
      ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(from, at)));
  if (count < 0) return "";
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  OPENSSL_free(bytes);
  return out;
}

BytesView bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::optional<UnixMs> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return UnixMs{static_cast<std::int64_t>(::timegm(&parts)) * 1000};
}

std::vector<std::string> addresses_of(const X509* certificate) {
  std::vector<std::string> out;
  const AlternativeNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int kind = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind));
    if (kind == GEN_DNS) out.emplace_back(bytes_of(value));
    if (kind != GEN_IPADD) continue;
    char text[INET6_ADDRSTRLEN];
    const BytesView raw = bytes_of(value);
    const int family = raw.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
    const bool sized = family == AF_INET || raw.size() == sizeof(in6_addr);
    if (sized && inet_ntop(family, raw.data(), text, sizeof text) != nullptr) {
      out.emplace_back(text);
    }
  }
  return out;
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "") + hex(bytes_of(serial));
}

}  // namespace

Result<CertificateFacts> read_certificate(std::string_view certificate) {
  const x509::CertificatePtr parsed = x509::parse_certificate(certificate);
  const X509* from = parsed.get();
  const auto not_before = parsed ? time_of(X509_get0_notBefore(from)) : std::nullopt;
  const auto not_after = parsed ? time_of(X509_get0_notAfter(from)) : std::nullopt;
  if (!not_before || !not_after) {
    return Error{ErrorCode::corrupt, "no certificate in PEM form", ""};
  }
  CertificateFacts facts;
  facts.role = only_text(X509_get_subject_name(from), NID_organizationalUnitName);
  facts.name = only_text(X509_get_subject_name(from), NID_commonName);
  facts.issuer = only_text(X509_get_issuer_name(from), NID_commonName);
  facts.serial = serial_of(from);
  facts.not_before = *not_before;
  facts.not_after = *not_after;
  facts.addresses = addresses_of(from);
  facts.authority = X509_check_ca(parsed.get()) == 1;
  unsigned char* der = nullptr;
  const int size = i2d_X509(from, &der);
  if (size > 0) {
    const Bytes bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    facts.fingerprint = hex(sha256(bytes));
    OPENSSL_free(der);
  }
  ERR_clear_error();
  return facts;
}

}  // namespace sandtrail
