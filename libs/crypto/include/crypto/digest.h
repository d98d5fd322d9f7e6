// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>

#include "base/bytes.h"

namespace sandtrail {

inline constexpr std::size_t kDigestBytes = 32;

// 32 bytes. Thread-safe.
Bytes sha256(BytesView data);
// Of the parts, one after the other, without copying them together.
Bytes sha256_of(std::initializer_list<BytesView> parts);

Bytes hmac_sha256(BytesView key, BytesView data);

// SHA-256 of what comes piece by piece. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(BytesView data);
  // The digest of all updates; afterwards it starts anew, as if just constructed.
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sandtrail
