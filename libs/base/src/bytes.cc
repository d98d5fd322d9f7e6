// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <array>

#include "base/assert.h"

namespace sandtrail {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";

std::uint8_t byte_at(BytesView bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

constexpr std::array<std::int8_t, 256> reverse_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& value : table) value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr auto kFromBase64 = reverse_of(kBase64);
constexpr auto kFromBase64Url = reverse_of(kBase64Url);
constexpr auto kFromCrockford = reverse_of(kCrockford);

// A fold reads and writes a KiB of it for each record: groups of 3 bytes and 4 letters at a time.
void encode64(std::string& out, BytesView bytes, std::string_view alphabet, bool padded) {
  const std::size_t before = out.size();
  out.append((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data() + before;
  std::size_t i = 0;
  const auto put = [&](std::uint32_t group, std::size_t letters) {
    for (std::size_t letter = 0; letter < letters; ++letter) {
      *to++ = alphabet[(group >> (18 - 6 * letter)) & 63];
    }
  };
  for (; i + 3 <= bytes.size(); i += 3) {
    put(static_cast<std::uint32_t>(byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 |
                                   byte_at(bytes, i + 2)),
        4);
  }
  const std::size_t left = bytes.size() - i;
  if (left == 1) put(static_cast<std::uint32_t>(byte_at(bytes, i) << 16), 2);
  if (left == 2) {
    put(static_cast<std::uint32_t>(byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8), 3);
  }
  if (!padded) out.resize(static_cast<std::size_t>(to - out.data()));
}

// The value of up to 4 letters from `at` on, 6 bits each; negative if one is none of the alphabet.
std::int32_t group_at(std::string_view text, std::size_t at, std::size_t letters,
                      const std::array<std::int8_t, 256>& table) {
  std::int32_t group = 0;
  std::int32_t wrong = 0;
  for (std::size_t letter = 0; letter < letters; ++letter) {
    const std::int32_t value = table[byte_at(text, at + letter)];
    wrong |= value;
    group = group << 6 | (value & 63);
  }
  return wrong < 0 ? -1 : group;
}

std::optional<Bytes> decode64(std::string_view text, const std::array<std::int8_t, 256>& table) {
  const std::size_t left = text.size() % 4;
  if (left == 1) return std::nullopt;
  Bytes out(text.size() / 4 * 3 + (left == 0 ? 0 : left - 1), '\0');
  char* to = out.data();
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::int32_t group = group_at(text, i, 4, table);
    if (group < 0) return std::nullopt;
    *to++ = static_cast<char>(group >> 16);
    *to++ = static_cast<char>(group >> 8);
    *to++ = static_cast<char>(group);
  }
  if (left == 0) return out;
  std::int32_t group = group_at(text, i, left, table);
  // Left-over bits must be zero, so that one value has one text.
  const int unused = left == 2 ? 4 : 2;
  if (group < 0 || (group & ((1 << unused) - 1)) != 0) return std::nullopt;
  group >>= unused;
  if (left == 3) *to++ = static_cast<char>(group >> 8);
  *to = static_cast<char>(group);
  return out;
}

}  // namespace

std::string hex(BytesView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += kHex[byte_at(bytes, i) >> 4];
    out += kHex[byte_at(bytes, i) & 15];
  }
  return out;
}

std::optional<Bytes> unhex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

void append_base64(std::string& out, BytesView bytes) {
  encode64(out, bytes, kBase64, true);
}
std::string base64(BytesView bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}
std::string base64url(BytesView bytes) {
  std::string out;
  encode64(out, bytes, kBase64Url, false);
  return out;
}

std::optional<Bytes> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode64(text, kFromBase64);
}

std::optional<Bytes> unbase64url(std::string_view text) {
  return decode64(text, kFromBase64Url);
}

void append_crockford(std::string& out, BytesView bytes) {
  // Padded on the left, as a number: 128 bits in 26 digits leave two zero bits at the top.
  const std::size_t digits = (bytes.size() * 8 + 4) / 5;
  int bits = static_cast<int>(digits * 5 - bytes.size() * 8);
  out.reserve(out.size() + digits);
  std::uint32_t buffer = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    buffer = (buffer << 8) | byte_at(bytes, i);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += kCrockford[(buffer >> bits) & 31];
    }
    buffer &= (1u << bits) - 1;
  }
}

std::string crockford(BytesView bytes) {
  std::string out;
  append_crockford(out, bytes);
  return out;
}

std::optional<std::array<char, 16>> uncrockford16(std::string_view text) {
  if (text.size() != 26 || text[0] > '7') return std::nullopt;
  std::array<char, 16> out{};
  std::size_t at = 0;
  std::uint32_t buffer = 0;
  int bits = -2;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = kFromCrockford[byte_at(text, i)];
    if (value < 0) return std::nullopt;
    buffer = (buffer << 5) | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = static_cast<char>((buffer >> bits) & 0xff);
      buffer &= (1u << bits) - 1;
    }
  }
  return out;
}

void put_be16(Bytes& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}
void put_be32(Bytes& out, std::uint32_t value) {
  put_be16(out, static_cast<std::uint16_t>(value >> 16));
  put_be16(out, static_cast<std::uint16_t>(value & 0xffff));
}
void put_be64(Bytes& out, std::uint64_t value) {
  put_be32(out, static_cast<std::uint32_t>(value >> 32));
  put_be32(out, static_cast<std::uint32_t>(value & 0xffffffff));
}
std::uint16_t get_be16(BytesView in) {
  ST_ASSERT(in.size() >= 2);
  return static_cast<std::uint16_t>((byte_at(in, 0) << 8) | byte_at(in, 1));
}
std::uint32_t get_be32(BytesView in) {
  ST_ASSERT(in.size() >= 4);
  return (static_cast<std::uint32_t>(get_be16(in)) << 16) | get_be16(in.substr(2));
}
std::uint64_t get_be64(BytesView in) {
  ST_ASSERT(in.size() >= 8);
  return (static_cast<std::uint64_t>(get_be32(in)) << 32) | get_be32(in.substr(4));
}

bool equal_constant_time(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(byte_at(a, i) ^ byte_at(b, i));
  }
  return difference == 0;
}

namespace {

// Length of the well-formed character at the start of `s`, 0 if there is none.
std::size_t utf8_char(std::string_view s) {
  auto in = [&s](std::size_t i, unsigned low, unsigned high) {
    return s.size() > i && byte_at(s, i) >= low && byte_at(s, i) <= high;
  };
  const unsigned lead = byte_at(s, 0);
  if (lead <= 0x7f) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_char(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (byte_at(text, end) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace sandtrail
