// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <algorithm>

namespace sandtrail::gateway {
namespace {

// The least second byte that a character with this first byte may have (Unicode 15, table 3-7).
char second_byte(char first) {
  if (first == '\xE0') return '\xA0';
  if (first == '\xF0') return '\x90';
  return '\x80';
}

std::size_t length_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xC2 && byte <= 0xDF) return 2;
  if (byte >= 0xE0 && byte <= 0xEF) return 3;
  if (byte >= 0xF0 && byte <= 0xF4) return 4;
  return 1;
}

}  // namespace

std::size_t whole_characters(BytesView bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    Bytes begun(bytes.substr(bytes.size() - back));
    const std::size_t length = length_of(begun.front());
    if (length <= back) continue;
    // Begun, if it is a character once the least is added.
    if (back == 1) begun += second_byte(begun.front());
    begun.resize(length, '\x80');
    return bytes.size() - (is_utf8(begun) ? back : 0);
  }
  return bytes.size();
}

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
