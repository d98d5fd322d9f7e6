// SPDX-License-Identifier: Apache-2.0
// Text forms of bytes, and big-endian integers for keys that must sort.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandtrail {

// Bytes travel as std::string / std::string_view throughout; they need not be text.
using Bytes = std::string;
using BytesView = std::string_view;

std::string hex(BytesView bytes);                   // lower case
std::optional<Bytes> unhex(std::string_view text);  // either case, even length

std::string base64(BytesView bytes);  // RFC 4648 section 4, padded
void append_base64(std::string& out, BytesView bytes);
std::optional<Bytes> unbase64(std::string_view text);  // strict: padded, no white space
std::string base64url(BytesView bytes);                // RFC 4648 section 5, unpadded
std::optional<Bytes> unbase64url(std::string_view text);

// Crockford base32, lower case, most significant bits first. 16 bytes give 26 characters.
std::string crockford(BytesView bytes);
void append_crockford(std::string& out, BytesView bytes);
// Exact inverse for 26 characters of a 16-byte value; rejects upper case, look-alike letters and
// values over 128 bits, so that one value has one text.
std::optional<std::array<char, 16>> uncrockford16(std::string_view text);

void put_be16(Bytes& out, std::uint16_t value);
void put_be32(Bytes& out, std::uint32_t value);
void put_be64(Bytes& out, std::uint64_t value);
// The first 2, 4 or 8 bytes of `in`; asserts that they are there.
std::uint16_t get_be16(BytesView in);
std::uint32_t get_be32(BytesView in);
std::uint64_t get_be64(BytesView in);

// Compares in time that depends on the lengths only. For secrets.
bool equal_constant_time(BytesView a, BytesView b);

// True if `text` is well-formed UTF-8 (Unicode 15, table 3-7): no surrogates, no overlong forms.
bool is_utf8(std::string_view text);
// The longest prefix of at most `bytes_max` bytes that does not cut a UTF-8 character.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace sandtrail
