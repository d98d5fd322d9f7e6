// SPDX-License-Identifier: Apache-2.0
#include "x509_parts.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>

#include "base/assert.h"

namespace sandtrail::x509 {
namespace {

constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kPointBytes = 65;  // uncompressed (SEC 1 section 2.3.3)

using GroupPtr = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, Freed<EC_POINT_clear_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

NumberPtr random_scalar(const BIGNUM* order, Random& random) {
  for (;;) {
    const SecretBytes bytes = SecretBytes::random(kScalarBytes, random);
    const auto* octets = reinterpret_cast<const unsigned char*>(bytes.view().data());
    NumberPtr out(BN_secure_new());
    ST_ASSERT(out != nullptr && BN_bin2bn(octets, kScalarBytes, out.get()) != nullptr);
    if (!BN_is_zero(out.get()) && BN_cmp(out.get(), order) < 0) return out;
  }
}

BioPtr bio_over(BytesView text) {
  if (text.empty()) text = " ";  // OpenSSL takes no null pointer
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ST_ASSERT(bio != nullptr);
  return bio;
}

BytesView written(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

KeyPtr new_p256_key(Random& random) {
  const GroupPtr group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  ST_ASSERT(group != nullptr);
  const NumberPtr scalar = random_scalar(EC_GROUP_get0_order(group.get()), random);
  const PointPtr point(EC_POINT_new(group.get()));
  std::array<unsigned char, kPointBytes> octets;
  ST_ASSERT(point != nullptr &&
            EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1 &&
            EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                               octets.data(), octets.size(), nullptr) == octets.size());
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  ST_ASSERT(builder != nullptr &&
            OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                            SN_X9_62_prime256v1, 0) == 1 &&
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(),
                                             octets.size()) == 1);
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const ContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  ST_ASSERT(params != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return KeyPtr(key);
}

std::string certificate_pem(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ST_ASSERT(bio != nullptr && PEM_write_bio_X509(bio.get(), &certificate) == 1);
  return std::string(written(*bio));
}

SecretBytes key_pem(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));  // overwritten when freed
  ST_ASSERT(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0,
                                                            nullptr, nullptr) == 1);
  return SecretBytes(written(*bio));
}

CertificatePtr parse_certificate(std::string_view text) {
  CertificatePtr out(PEM_read_bio_X509(bio_over(text).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}

KeyPtr parse_key(BytesView text) {
  KeyPtr out(PEM_read_bio_PrivateKey(bio_over(text).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}

}  // namespace sandtrail::x509
