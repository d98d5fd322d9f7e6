// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <algorithm>

namespace sandtrail::gateway {

std::string mend_utf8(BytesView bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    // A character has up to four bytes; which prefix is one, if any, is_utf8() knows.
    std::size_t length = 0;
    for (std::size_t n = 1; n <= std::min<std::size_t>(4, bytes.size()) && length == 0; ++n) {
      if (is_utf8(bytes.substr(0, n))) length = n;
    }
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace sandtrail::gateway
