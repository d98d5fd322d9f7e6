// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>

#include "base/assert.h"

namespace sandtrail {
namespace {

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

// Fetched once: OpenSSL 3 looks an algorithm up by name for every use of EVP_sha256(), which costs
// more than hashing a Merkle node. Lives as long as the process.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  ST_ASSERT(algorithm != nullptr);
  return algorithm;
}

Context new_context() {
  Context context(EVP_MD_CTX_new());
  ST_ASSERT(context != nullptr);
  return context;
}

void start(EVP_MD_CTX* context) {
  ST_ASSERT(EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr) == 1);
}

Bytes finish_digest(EVP_MD_CTX* context) {
  Bytes out(kDigestBytes, '\0');
  unsigned size = 0;
  ST_ASSERT(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out.data()), &size) == 1);
  ST_ASSERT(size == kDigestBytes);
  return out;
}

}  // namespace

Bytes sha256(BytesView data) {
  return sha256_of({data});
}

Bytes sha256_of(std::initializer_list<BytesView> parts) {
  thread_local const Context context = new_context();
  start(context.get());
  for (const BytesView part : parts) {
    ST_ASSERT(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  return finish_digest(context.get());
}

Bytes hmac_sha256(BytesView key, BytesView data) {
  ST_ASSERT(key.size() <= INT_MAX);
  // A null key would mean "the key of the call before" to older releases.
  const char* key_bytes = key.empty() ? "" : key.data();
  Bytes out(kDigestBytes, '\0');
  unsigned size = 0;
  ST_ASSERT(HMAC(sha256_algorithm(), key_bytes, static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                 reinterpret_cast<unsigned char*>(out.data()), &size) != nullptr);
  ST_ASSERT(size == kDigestBytes);
  return out;
}

struct Sha256::State {
  Context context = new_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  start(state_->context.get());
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(BytesView data) {
  ST_ASSERT(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

Bytes Sha256::finish() {
  Bytes out = finish_digest(state_->context.get());
  start(state_->context.get());
  return out;
}

}  // namespace sandtrail
