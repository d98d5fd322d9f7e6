// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

namespace sandtrail {

IdBytes fresh_id_bytes(UnixMs now, Random& random) {
  IdBytes bytes;
  random.fill(bytes.data(), bytes.size());
  for (int i = 0; i < 6; ++i) {
    bytes[static_cast<std::size_t>(i)] = static_cast<char>((now.count >> (8 * (5 - i))) & 0xff);
  }
  return bytes;
}

}  // namespace sandtrail
