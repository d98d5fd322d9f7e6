// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "base/assert.h"
#include "base/limits.h"

namespace sandtrail {
namespace {

// OpenSSL counts in int.
static_assert(limits::kSealedBytesMax <= 0x7fffffff);

struct ContextDeleter {
  // Overwrites the key schedule.
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

const unsigned char* octets(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* octets(char* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// GCM with a 96-bit nonce, which is OpenSSL's default length.
Context start(bool encrypt, const SecretBytes& key, BytesView nonce, BytesView aad) {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  ST_ASSERT(algorithm != nullptr);
  ST_ASSERT(key.size() == kSealKeyBytes);
  ST_ASSERT(aad.size() <= limits::kSealedBytesMax);
  Context context(EVP_CIPHER_CTX_new());
  ST_ASSERT(context != nullptr);
  ST_ASSERT(EVP_CipherInit_ex2(context.get(), algorithm, octets(key.view()), octets(nonce),
                               encrypt ? 1 : 0, nullptr) == 1);
  int written = 0;
  // An update without bytes and with a null output would be taken for a request to finish.
  if (!aad.empty()) {
    ST_ASSERT(EVP_CipherUpdate(context.get(), nullptr, &written, octets(aad),
                               static_cast<int>(aad.size())) == 1);
  }
  return context;
}

void transform(EVP_CIPHER_CTX* context, char* out, BytesView in) {
  if (in.empty()) return;
  int written = 0;
  ST_ASSERT(EVP_CipherUpdate(context, octets(out), &written, octets(in),
                             static_cast<int>(in.size())) == 1);
  ST_ASSERT(static_cast<std::size_t>(written) == in.size());
}

}  // namespace

Bytes seal(const SecretBytes& key, BytesView aad, BytesView plaintext, Random& random) {
  ST_ASSERT(plaintext.size() <= limits::kSealedBytesMax);
  Bytes sealed(plaintext.size() + kSealOverheadBytes, '\0');
  random.fill(sealed.data(), kSealNonceBytes);
  const Context context = start(true, key, BytesView(sealed).substr(0, kSealNonceBytes), aad);
  transform(context.get(), sealed.data() + kSealNonceBytes, plaintext);
  char* const tag = sealed.data() + kSealNonceBytes + plaintext.size();
  int written = 0;
  ST_ASSERT(EVP_CipherFinal_ex(context.get(), octets(tag), &written) == 1 && written == 0);
  ST_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kSealTagBytes, tag) == 1);
  return sealed;
}

Result<Bytes> open(const SecretBytes& key, BytesView aad, BytesView sealed) {
  const Error mismatch{ErrorCode::corrupt, "sealed bytes do not fit their key and place", ""};
  if (sealed.size() < kSealOverheadBytes) return mismatch;
  const BytesView nonce = sealed.substr(0, kSealNonceBytes);
  const BytesView ciphertext = sealed.substr(kSealNonceBytes, sealed.size() - kSealOverheadBytes);
  Bytes tag(sealed.substr(sealed.size() - kSealTagBytes));
  if (ciphertext.size() > limits::kSealedBytesMax) return mismatch;

  const Context context = start(false, key, nonce, aad);
  Bytes plaintext(ciphertext.size(), '\0');
  transform(context.get(), plaintext.data(), ciphertext);
  ST_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kSealTagBytes, tag.data()) ==
            1);
  int written = 0;
  unsigned char none[1];
  if (EVP_CipherFinal_ex(context.get(), none, &written) != 1) {
    // What was decrypted is not authentic: nobody may see it.
    wipe(plaintext);
    return mismatch;
  }
  return plaintext;
}

}  // namespace sandtrail
