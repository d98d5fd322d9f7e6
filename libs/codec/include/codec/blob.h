// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace sandtrail {

// Bytes that are not text. In JSON: base64 (RFC 4648 section 4).
struct Blob {
  Bytes bytes;
  bool operator==(const Blob&) const = default;
};

}  // namespace sandtrail
