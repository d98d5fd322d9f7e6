// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720 appendix B.4): notices every burst of up to 32 bits. Not a digest
// against an attacker.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace sandtrail {

// The checksum of `bytes`; `before` continues the checksum of what stood before them.
std::uint32_t crc32c(BytesView bytes, std::uint32_t before = 0);
// The same without the processor's instruction, so that a test can compare both.
std::uint32_t crc32c_by_table(BytesView bytes, std::uint32_t before = 0);

}  // namespace sandtrail
