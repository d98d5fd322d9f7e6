// SPDX-License-Identifier: Apache-2.0
#include "codec/json.h"

#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "codec/node.h"

using namespace sandtrail;

namespace {

std::string nested(int depth, char open, char close) {
  const auto n = static_cast<std::size_t>(depth);
  return std::string(n, open) + std::string(n, close);
}

std::string nested_objects(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out += R"({"a":)";
  return out + "0" + std::string(static_cast<std::size_t>(depth), '}');
}

bool scans(const std::string& text) {
  int calls = 0;
  const bool ok = json::scan(text, [&calls](const json::Node&) { ++calls; }).ok();
  CHECK(calls == (ok ? 1 : 0));
  return ok;
}

}  // namespace

TEST_CASE("json: what is not exactly one strict UTF-8 value is refused") {
  const std::string cases[] = {
      "",
      " ",
      "\xef\xbb\xbf{}",  // byte order mark
      "{",
      "[1,]",
      "{\"a\":1,}",
      "{a:1}",
      "{'a':1}",
      "{\"a\"}",
      "[1 2]",
      "{} {}",
      "{}x",
      "1 2",
      "nul",
      "True",
      "NaN",
      "Infinity",
      "-",
      "+1",
      "01",
      "1.",
      ".5",
      "1e",
      "0x10",
      "\"abc",
      "\"\t\"",
      "\"\\x\"",
      "\"\\u12\"",
      "/* c */ 1",
      "1e400",
      "[{\"a\":[-1e400]}]",
      "1e99999999999",
      std::string("\"a\0b\"", 5),
      std::string("{}\0", 3),
      std::string("\0", 1),
      "\"\xff\"",
      "\"\xc0\x80\"",          // overlong NUL
      "\"\xe2\x82\"",          // cut short
      "\"\xed\xa0\x80\"",      // surrogate as UTF-8
      "\"\xf4\x90\x80\x80\"",  // above U+10FFFF
      "{\"\xff\":1}",
      "\"\\ud800\"",
      "\"\\ud800x\"",
      "\"\\ud800\\u0041\"",
      "\"\\udc00\"",
      "\"\\udc00\\ud800\"",
  };
  for (const std::string& text : cases) {
    CAPTURE(text);
    const auto parsed = json::parse(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::invalid_argument);
    CHECK_FALSE(parsed.error().message.empty());
    const Status scanned = json::scan(text, [](const json::Node&) { FAIL("was read"); });
    REQUIRE_FALSE(scanned.ok());
    CHECK(scanned.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("json: an error names the byte where reading ended") {
  CHECK(json::parse("{}x").error().message.find("at byte 2:") != std::string::npos);
  CHECK(json::parse("[1,2").error().message.find("at byte 4:") != std::string::npos);
  CHECK(json::parse("[true, x]").error().message.find("at byte 7:") != std::string::npos);
}

TEST_CASE("json: nesting is accepted up to the limit and refused past it") {
  const int most = limits::kJsonDepthMax;
  CHECK(json::parse(nested(most, '[', ']')).ok());
  CHECK(json::parse(nested_objects(most)).ok());
  CHECK_FALSE(json::parse(nested(most + 1, '[', ']')).ok());
  CHECK_FALSE(json::parse(nested_objects(most + 1)).ok());
  CHECK_FALSE(json::parse(std::string(1'000'000, '[')).ok());
  CHECK(scans(nested(most, '[', ']')));
  CHECK(scans(nested_objects(most)));
  CHECK_FALSE(scans(nested(most + 1, '[', ']')));
  CHECK_FALSE(scans(nested_objects(most + 1)));
  CHECK_FALSE(scans(std::string(1'000'000, '[')));
  CHECK(scans("[]"));
}

TEST_CASE("json: printing what was parsed gives the compact text in the order of insertion") {
  const struct {
    std::string text;
    std::string printed;
  } cases[] = {
      {" { \"b\" : 1 , \"a\" : [ ] , \"c\" : { } } \r\n\t", R"({"b":1,"a":[],"c":{}})"},
      {R"({"a":1,"b":2,"a":3})", R"({"a":3,"b":2})"},
      {R"("\u0000\u001f\"\\\/\u00e9\ud83d\ude00")", "\"\\u0000\\u001f\\\"\\\\/\u00e9\U0001F600\""},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"null", "null"},
      {"true", "true"},
      {R"("")", R"("")"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto parsed = json::parse(c.text);
    REQUIRE(parsed.ok());
    CHECK(json::print(*parsed) == c.printed);
  }
}

TEST_CASE("json: the same value gives the same bytes, however often it is read and printed") {
  const std::string texts[] = {
      R"({"a":[1,-2,3.5,1e300,-0.0,123456789012345678901234567890],"s":"\u2028<&>","n":null})",
      "-1e-400",
      "18446744073709551616",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    const auto first = json::parse(text);
    REQUIRE(first.ok());
    const std::string printed = json::print(*first);
    const auto second = json::parse(printed);
    REQUIRE(second.ok());
    CHECK(json::print(*second) == printed);
    const std::string pretty = json::pretty(*first);
    const auto third = json::parse(pretty);
    REQUIRE(third.ok());
    CHECK(json::print(*third) == printed);
    CHECK(json::pretty(*third) == pretty);
  }
}

TEST_CASE("json: pretty text is indented by two spaces and leaves empty containers closed") {
  const auto value = json::parse(R"({"a":{"b":[1,"x\n"]},"c":[],"d":{},"e\"":[[]]})");
  REQUIRE(value.ok());
  CHECK(json::pretty(*value) == R"({
  "a": {
    "b": [
      1,
      "x\n"
    ]
  },
  "c": [],
  "d": {},
  "e\"": [
    []
  ]
})");
}

TEST_CASE("json: text_at gives a member only if it is text") {
  const auto value = json::parse(R"({"t":"x","n":1,"z":null,"e":""})");
  REQUIRE(value.ok());
  const auto& object = value->get_object();
  CHECK(json::text_at(object, "t") == "x");
  for (const char* name : {"n", "z", "e", "absent"}) CHECK(json::text_at(object, name).empty());
}

TEST_CASE("json: pointer tokens are escaped as RFC 6901 says") {
  CHECK(json::pointer_to("", "a") == "/a");
  CHECK(json::pointer_to("/a", "") == "/a/");
  CHECK(json::pointer_to("/a", "m~n") == "/a/m~0n");
  CHECK(json::pointer_to("/a", "b/c") == "/a/b~1c");
  CHECK(json::pointer_to("", "~1") == "/~01");
}

TEST_CASE("json: a name that an object gives twice is refused where a fold reads") {
  std::string many = "{\"last\":0";
  for (int i = 0; i < 100; ++i) many += ",\"" + std::to_string(i) + "\":0";
  const struct {
    std::string text;
    bool fine;
  } cases[] = {
      {R"({"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]})", true},
      {R"({"a":1,"b":2,"a":1})", false},
      {R"({"a":1,"\u0061":1})", false},
      {R"({"":1,"":1})", false},
      {R"({"x":{"a":1,"a":1}})", false},
      {R"([1,{"y":[{"a":1,"a":1}]}])", false},
      {many + "}", true},
      {many + ",\"last\":1}", false},
      {many + ",\"57\":1}", false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(scans(c.text) == c.fine);
  }
}

TEST_CASE("json: a long text is read like a short one, and short ones after it") {
  const std::string text(3u << 20, 'x');
  for (const std::string& one : {std::string("short"), text, std::string("short again"), text}) {
    std::string read;
    REQUIRE(json::scan("\"" + one + "\"", [&](const json::Node& node) {
              read = node.text().value_or("");
            }).ok());
    CHECK(read == one);
  }
}
