// SPDX-License-Identifier: Apache-2.0
// Which partition an organisation's events stand in. Part of a log's identity, together with the
// partition count: neither may change for a log that exists.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/id.h"

namespace sandtrail {

// FNV-1a, 64 bits: offset basis 0xcbf29ce484222325, prime 0x100000001b3 (Fowler, Noll, Vo).
// `state` continues an earlier result.
constexpr std::uint64_t fnv1a64(BytesView bytes, std::uint64_t state = 0xcbf29ce484222325ull) {
  for (const char byte : bytes) {
    state ^= static_cast<unsigned char>(byte);
    state *= 0x100000001b3ull;
  }
  return state;
}

// fnv1a64(the id's 16 bytes) mod `partitions`; `partitions` > 0.
std::int32_t partition_of(const OrgId& org, std::int32_t partitions);

}  // namespace sandtrail
