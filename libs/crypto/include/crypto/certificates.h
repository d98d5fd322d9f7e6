// SPDX-License-Identifier: Apache-2.0
// Certificates of a private authority: X.509 version 3 (RFC 5280), ECDSA on P-256 (RFC 5480) with
// SHA-256 (RFC 5758), as text in PEM form (RFC 7468), keys as PKCS #8 without a passphrase.
//
//   authority  subject CN=name; basic constraints (critical) CA, path length 0; key usage
//              (critical) keyCertSign, cRLSign; subject key identifier
//   issued     subject OU=role, CN=name; basic constraints (critical) no CA; key usage (critical)
//              digitalSignature; extended key usage serverAuth, clientAuth; subject alternative
//              name with the addresses; subject and authority key identifier
//
// The sections of RFC 5280: 4.1.2.2 serial number, 4.1.2.5 validity, 4.2.1.1 and 4.2.1.2 key
// identifiers (made as RFC 7093 section 2 says), 4.2.1.3 key usage, 4.2.1.6 subject alternative
// name, 4.2.1.9 basic constraints, 4.2.1.12 extended key usage. Everything is thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"

namespace sandtrail {

// The clock of who checks a certificate may be so much behind that of who made it.
inline constexpr Millis kCertificateLead = minutes(5);

struct CertifiedKey {
  std::string certificate;
  SecretBytes key;
};

// A new authority, valid from kCertificateLead ago until `lifetime` from now. invalid_argument:
// the name (as a role's, see below) or the lifetime, which is from a minute to
// limits::kCertificateLifetimeMax.
Result<CertifiedKey> create_authority(const std::string& name, Millis lifetime, const Clock& clock,
                                      Random& random);

struct CertificateWish {
  // 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit.
  std::string role;
  std::string name;
  // IP addresses in canonical form, and DNS names in lower case, without wildcards. At least one,
  // at most limits::kCertificateAddressesMax.
  std::vector<std::string> addresses;
  Millis lifetime;
};

// A new key and its certificate by `authority`. Errors: invalid_argument (the wish, or it would
// outlive its authority), corrupt (the authority's texts, or they do not belong together), conflict
// (it is no authority, or expired).
//
// The key and the serial number come from `random`; the signature's nonce is OpenSSL's.
Result<CertifiedKey> issue_certificate(const CertifiedKey& authority, const CertificateWish& wish,
                                       const Clock& clock, Random& random);

struct CertificateFacts {
  std::string role;    // the subject's OU; "" if there is none, or several
  std::string name;    // the subject's CN, likewise
  std::string issuer;  // the issuer's CN, likewise
  std::string serial;  // hex
  UnixMs not_before;
  UnixMs not_after;
  std::vector<std::string> addresses;  // in the order of the certificate
  bool authority = false;
  std::string fingerprint;  // SHA-256 of its DER form, hex
};

// The first certificate of the text, whoever made it. Nothing is verified. corrupt if there is
// none.
Result<CertificateFacts> read_certificate(std::string_view certificate);

}  // namespace sandtrail
