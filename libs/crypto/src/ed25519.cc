// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include <utility>

#include "base/assert.h"

namespace sandtrail {
namespace {

struct PkeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyDeleter>;
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

const unsigned char* octets(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* octets(Bytes& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

Context new_context() {
  Context context(EVP_MD_CTX_new());
  ST_ASSERT(context != nullptr);
  return context;
}

}  // namespace

struct Ed25519Key::State {
  Pkey key;
};

Ed25519Key::Ed25519Key(std::unique_ptr<State> state, Bytes public_key)
    : state_(std::move(state)), public_key_(std::move(public_key)) {}
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;
Ed25519Key::~Ed25519Key() = default;

Result<Ed25519Key> Ed25519Key::from_seed(const SecretBytes& seed) {
  if (seed.size() != kEd25519SeedBytes) {
    return Error{ErrorCode::invalid_argument, "an Ed25519 seed has 32 bytes", ""};
  }
  auto state = std::make_unique<State>();
  state->key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed.view()), seed.size()));
  ST_ASSERT(state->key != nullptr);
  Bytes public_key(kEd25519PublicKeyBytes, '\0');
  std::size_t size = public_key.size();
  ST_ASSERT(EVP_PKEY_get_raw_public_key(state->key.get(), octets(public_key), &size) == 1);
  ST_ASSERT(size == kEd25519PublicKeyBytes);
  return Ed25519Key(std::move(state), std::move(public_key));
}

Bytes Ed25519Key::sign(BytesView message) const {
  const Context context = new_context();
  ST_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1);
  Bytes signature(kEd25519SignatureBytes, '\0');
  std::size_t size = signature.size();
  ST_ASSERT(EVP_DigestSign(context.get(), octets(signature), &size, octets(message),
                           message.size()) == 1);
  ST_ASSERT(size == kEd25519SignatureBytes);
  return signature;
}

bool ed25519_verify(BytesView public_key, BytesView message, BytesView signature) {
  if (public_key.size() != kEd25519PublicKeyBytes) return false;
  if (signature.size() != kEd25519SignatureBytes) return false;
  const Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(public_key),
                                             public_key.size()));
  if (key == nullptr) return false;
  const Context context = new_context();
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

}  // namespace sandtrail
