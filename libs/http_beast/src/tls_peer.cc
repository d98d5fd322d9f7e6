// SPDX-License-Identifier: Apache-2.0
#include "tls_peer.h"

#include <algorithm>
#include <string>

namespace sandtrail::http {
namespace {

constexpr std::size_t kTextBytesMax = 64;  // RFC 5280 appendix A.1

// The only value of that kind, or nullopt: with two, readers could differ about which counts.
std::optional<std::string> only_text(const X509_NAME* subject, int kind) {
  const int at = X509_NAME_get_index_by_NID(subject, kind, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, kind, at) >= 0) return std::nullopt;
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  unsigned char* bytes = nullptr;
  const int count = ASN1_STRING_to_UTF8(&bytes, value);
  if (count < 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  OPENSSL_free(bytes);
  const bool printable =
      std::all_of(out.begin(), out.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (out.empty() || out.size() > kTextBytesMax || !printable) return std::nullopt;
  return out;
}

}  // namespace

std::optional<PeerIdentity> identity_of(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  auto role = only_text(subject, NID_organizationalUnitName);
  auto name = only_text(subject, NID_commonName);
  if (!role || !name) return std::nullopt;
  return PeerIdentity{std::move(*role), std::move(*name)};
}

}  // namespace sandtrail::http
