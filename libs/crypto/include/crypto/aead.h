// SPDX-License-Identifier: Apache-2.0
// Sealing with AES-256-GCM (NIST SP 800-38D): secrecy and integrity of the plaintext, integrity of
// the associated data (AAD), which binds the ciphertext to its place (event id, type, key id).
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace sandtrail {

inline constexpr std::size_t kSealKeyBytes = 32;
inline constexpr std::size_t kSealNonceBytes = 12;
inline constexpr std::size_t kSealTagBytes = 16;
inline constexpr std::size_t kSealOverheadBytes = kSealNonceBytes + kSealTagBytes;

// nonce(12) ‖ ciphertext ‖ tag(16), with a fresh random nonce: at most 2^32 calls a key.
// Asserts that the key has 32 bytes (check it where it is loaded) and that plaintext and AAD are at
// most limits::kSealedBytesMax. Thread-safe.
Bytes seal(const SecretBytes& key, BytesView aad, BytesView plaintext, Random& random);

// The plaintext. Fails with corrupt if key, AAD or any byte of `sealed` is not the one of seal();
// the error does not say which. Asserts that the key has 32 bytes. Thread-safe.
Result<Bytes> open(const SecretBytes& key, BytesView aad, BytesView sealed);

}  // namespace sandtrail
