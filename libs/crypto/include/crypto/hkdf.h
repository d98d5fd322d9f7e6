// SPDX-License-Identifier: Apache-2.0
// HKDF with SHA-256 (RFC 5869): keys of one purpose each from one secret.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace sandtrail {

inline constexpr std::size_t kHkdfBytesMax = 255 * 32;

// `size` bytes (1 to kHkdfBytesMax) from a non-empty secret; both are asserted. `salt` may be
// empty. Different `info` gives independent keys. Thread-safe.
SecretBytes hkdf_sha256(const SecretBytes& secret, BytesView salt, BytesView info,
                        std::size_t size);

}  // namespace sandtrail
