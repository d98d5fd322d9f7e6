// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032, pure): deterministic, so signing needs no randomness.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace sandtrail {

inline constexpr std::size_t kEd25519SeedBytes = 32;
inline constexpr std::size_t kEd25519PublicKeyBytes = 32;
inline constexpr std::size_t kEd25519SignatureBytes = 64;

// A private key. const methods are thread-safe. Its memory is overwritten when it is destroyed.
class Ed25519Key {
 public:
  // invalid_argument unless the seed has 32 bytes.
  static Result<Ed25519Key> from_seed(const SecretBytes& seed);

  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;
  ~Ed25519Key();

  const Bytes& public_key() const { return public_key_; }
  Bytes sign(BytesView message) const;  // 64 bytes

 private:
  struct State;
  Ed25519Key(std::unique_ptr<State> state, Bytes public_key);

  std::unique_ptr<State> state_;
  Bytes public_key_;
};

// False for a wrong signature, and for keys and signatures of a wrong length. Thread-safe.
bool ed25519_verify(BytesView public_key, BytesView message, BytesView signature);

}  // namespace sandtrail
