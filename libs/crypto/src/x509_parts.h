// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects around certificates, owned, and as PEM.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "crypto/secret.h"

namespace sandtrail::x509 {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;

// A private key on P-256: d uniform in [1, n-1] by rejection (FIPS 186-5 appendix A.2.2).
KeyPtr new_p256_key(Random& random);

std::string certificate_pem(X509& certificate);
SecretBytes key_pem(EVP_PKEY& key);

// The first of the text; null if there is none.
CertificatePtr parse_certificate(std::string_view text);
KeyPtr parse_key(BytesView text);

}  // namespace sandtrail::x509
