// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <doctest/doctest.h>

#include "base/random.h"

using namespace sandtrail;

TEST_CASE("base64: the vectors of RFC 4648 section 10") {
  const std::pair<std::string, std::string> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : rows) {
    CHECK(base64(plain) == text);
    CHECK(unbase64(text) == plain);
    CHECK(unbase64url(base64url(plain)) == plain);
  }
  CHECK(base64url("\xfb\xff") == "-_8");
}

TEST_CASE("base64: what is not canonical is refused") {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Z g=", "Zm9v\n", "-_8=", "====", "A==="}) {
    CAPTURE(text);
    CHECK_FALSE(unbase64(text).has_value());
  }
  CHECK_FALSE(unbase64url("Zg==").has_value());
  CHECK_FALSE(unbase64url("A").has_value());
}

TEST_CASE("crockford: order is kept and only the canonical text is read") {
  SeededRandom random(1);
  Bytes previous(16, '\0');
  CHECK(crockford(previous) == "00000000000000000000000000");
  CHECK(crockford(Bytes(16, '\xff')) == "7zzzzzzzzzzzzzzzzzzzzzzzzz");
  for (int i = 0; i < 1000; ++i) {
    const Bytes value = random.bytes(16);
    const auto back = uncrockford16(crockford(value));
    REQUIRE(back.has_value());
    CHECK(Bytes(back->begin(), back->end()) == value);
    CHECK((value < previous) == (crockford(value) < crockford(previous)));
    previous = value;
  }
  for (const char* text :
       {"8zzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000", "0000000000000000000000000A",
        "0000000000000000000000000i", "000000000000000000000000000"}) {
    CHECK_FALSE(uncrockford16(text).has_value());
  }
}

TEST_CASE("hex and big-endian integers") {
  CHECK(hex(Bytes("\x00\xab\xff", 3)) == "00abff");
  CHECK(unhex("00aBff") == Bytes("\x00\xab\xff", 3));
  CHECK_FALSE(unhex("0").has_value());
  CHECK_FALSE(unhex("0g").has_value());
  Bytes out;
  put_be16(out, 0x0102);
  put_be32(out, 0x03040506);
  put_be64(out, 0x0708090a0b0c0d0eull);
  CHECK(hex(out) == "0102030405060708090a0b0c0d0e");
  CHECK(get_be16(out) == 0x0102);
  CHECK(get_be32(out.substr(2)) == 0x03040506);
  CHECK(get_be64(out.substr(6)) == 0x0708090a0b0c0d0eull);
}

TEST_CASE("utf-8: well-formed and not") {
  for (const char* text :
       {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"}) {
    CHECK(is_utf8(text));
  }
  for (const char* text : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf0\x9f\x98", "\xff"}) {
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(utf8_prefix("a\xe2\x82\xac", 3) == "a");
  CHECK(utf8_prefix("a\xe2\x82\xac", 4) == "a\xe2\x82\xac");
}

TEST_CASE("constant-time comparison") {
  CHECK(equal_constant_time("", ""));
  CHECK(equal_constant_time("abc", "abc"));
  CHECK_FALSE(equal_constant_time("abc", "abd"));
  CHECK_FALSE(equal_constant_time("abc", "ab"));
}
