// SPDX-License-Identifier: Apache-2.0
#include "log_embedded/head_mark.h"

#include <doctest/doctest.h>

#include "event_log/crc32c.h"

using namespace sandtrail;

namespace {

const HeadMark kSample{"0123456789abcdef0123456789abcdef",
                       7,
                       {{{"events", 0}, {1234}, 0x89abcdef01234567}, {{"events", 1}, {0}, 0}},
                       {{"billing", {"events", 0}, {1200}}}};

Bytes with_checksum(const Bytes& lines) {
  Bytes checksum;
  put_be32(checksum, crc32c(lines));
  return lines + "checksum " + hex(checksum) + "\n";
}

}  // namespace

TEST_CASE("a head mark is the documented text, and comes back") {
  const Bytes text = encode_head_mark(kSample);
  CHECK(text == with_checksum("sandtrail-head 1\n"
                              "identity 0123456789abcdef0123456789abcdef\n"
                              "boots 7\n"
                              "mark events 0 1234 89abcdef01234567\n"
                              "mark events 1 0 0000000000000000\n"
                              "report billing events 0 1200\n"));
  const auto decoded = decode_head_mark(text);
  REQUIRE(decoded.ok());
  CHECK(*decoded == kSample);
}

TEST_CASE("every flipped bit and every cut of a head mark is corrupt") {
  const Bytes text = encode_head_mark(kSample);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    Bytes damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(decode_head_mark(damaged).error().code == ErrorCode::corrupt);
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    REQUIRE(!decode_head_mark(text.substr(0, size)).ok());
  }
}

TEST_CASE("lines that nobody writes are corrupt even under a right checksum") {
  const Bytes start = "sandtrail-head 1\nidentity abc\nboots 7\n";
  CHECK(decode_head_mark(with_checksum(start)).ok());
  const Bytes rows[] = {
      "",
      "sandtrail-head 2\nidentity abc\nboots 7\n",
      "sandtrail-head 1\nidentity abc\n",
      "sandtrail-head 1\nboots 7\nidentity abc\n",
      start + "mark events 0 1234\n",
      start + "mark events 0 -1 89abcdef01234567\n",
      start + "mark events 0 01 89abcdef01234567\n",
      start + "mark events 0 1 89ABCDEF01234567\n",
      start + "mark events 0 1 89abcdef01234567 more\n",
      start + "mark  events 0 1 89abcdef01234567\n",
      start + "mark events 0 99999999999999999999 89abcdef01234567\n",
      start + "report g events 0 1\nmark events 0 1 89abcdef01234567\n",
      start + "remark\n",
      start + "\n",
  };
  for (const Bytes& row : rows) {
    CAPTURE(row);
    CHECK(decode_head_mark(with_checksum(row)).error().code == ErrorCode::corrupt);
  }
}
