// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "base/assert.h"

namespace sandtrail {
namespace {

struct ContextDeleter {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

OSSL_PARAM octets(const char* name, BytesView bytes) {
  // OSSL_PARAM is used for reading and writing alike, hence not const.
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

SecretBytes hkdf_sha256(const SecretBytes& secret, BytesView salt, BytesView info,
                        std::size_t size) {
  ST_ASSERT(!secret.empty());
  ST_ASSERT(size > 0 && size <= kHkdfBytesMax);
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  ST_ASSERT(algorithm != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, ContextDeleter> context(EVP_KDF_CTX_new(algorithm));
  ST_ASSERT(context != nullptr);

  char digest[] = "SHA256";
  OSSL_PARAM params[5];
  std::size_t count = 0;
  params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  params[count++] = octets(OSSL_KDF_PARAM_KEY, secret.view());
  if (!salt.empty()) params[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) params[count++] = octets(OSSL_KDF_PARAM_INFO, info);
  params[count] = OSSL_PARAM_construct_end();

  Bytes derived(size, '\0');
  ST_ASSERT(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(derived.data()), size,
                           params) == 1);
  return SecretBytes::take(derived);
}

}  // namespace sandtrail
