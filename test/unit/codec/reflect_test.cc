// SPDX-License-Identifier: Apache-2.0
#include "codec/reflect.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "codec/text.h"
#include "shapes.h"

using namespace sandtrail;

namespace {

const char* const kSmallest =
    R"({"small":1,"big":2,"text":"t","blob":"","org":"org_00000000000000000000000001",)"
    R"("at":"2026-01-31T12:00:00Z","span_ms":3,"colour":"red","inner":{"n":4},)"
    R"("tally":{"what":"w","count":5}})";

json::value parsed(const std::string& text) {
  auto value = json::parse(text);
  REQUIRE(value.ok());
  return std::move(value).value();
}

// The smallest input with one member replaced or added.
json::value with(const std::string& name, const std::string& text) {
  json::value out = parsed(kSmallest);
  out.get_object()[name] = parsed(text);
  return out;
}

std::string problems_of_text(const std::string& text, reflect::Unknown unknown) {
  reflect::ReadContext context{unknown, {}};
  Shapes out;
  const auto read = [&](const json::Node& in) { reflect::read(in, "", out, context); };
  CHECK(json::scan(text, read).ok());
  std::string texts;
  for (const auto& p : context.problems) texts += p.pointer + ": " + p.detail + "\n";
  return texts;
}

// Every problem as "pointer: detail", in order, a line each; the same from a tree and from text.
std::string problems_of(const json::value& in, reflect::Unknown unknown) {
  reflect::ReadContext context{unknown, {}};
  Shapes out;
  reflect::read(json::Tree(in), "", out, context);
  std::string texts;
  for (const auto& p : context.problems) texts += p.pointer + ": " + p.detail + "\n";
  CHECK(problems_of_text(json::print(in), unknown) == texts);
  return texts;
}

std::size_t count_of_problems(const json::value& in) {
  const std::string texts = problems_of(in, reflect::Unknown::refuse);
  return static_cast<std::size_t>(std::count(texts.begin(), texts.end(), '\n'));
}

}  // namespace

TEST_CASE("reflect: every shape is written and read back unchanged") {
  const json::value written = to_json(full_shapes());
  CHECK(
      json::print(written) ==
      "{\"small\":-128,\"big\":-9223372036854775808,\"flag\":true,"
      "\"text\":\"a\\u0000\\\"\\\\/\\n\u00e9\U0001F600\",\"blob\":\"AP+A\","
      "\"org\":\"org_1g64s36d1n6rvkgeb1c9hp8sb6\",\"at\":\"2023-11-14T22:13:20.123Z\","
      "\"span_ms\":-5,\"colour\":\"green\",\"maybe\":0,\"maybe_inner\":{\"n\":1,\"tags\":[\"x\"]},"
      "\"list\":[{\"n\":1},{\"n\":2,\"tags\":[\"a\",\"\"]}],"
      "\"named\":{\"\":{\"n\":3},\"a/b~c\":{\"n\":4,\"tags\":[\"z\"]}},"
      "\"inner\":{\"n\":5,\"tags\":[\"t\"]},\"tally\":{\"what\":\"apples\",\"count\":6},"
      "\"limit\":8,\"label\":\"\"}");
  const auto back = from_json<Shapes>(parsed(json::print(written)));
  REQUIRE(back.ok());
  CHECK(json::print(to_json(*back)) == json::print(written));
  CHECK(back->text == full_shapes().text);
  CHECK(back->blob == full_shapes().blob);
  CHECK(back->tally.count == 6);
  CHECK(to_text(full_shapes()) == json::print(written));
  const auto again = from_text<Shapes>(json::print(written));
  REQUIRE(again.ok());
  CHECK(to_text(*again) == json::print(written));
}

TEST_CASE("reflect: absent members keep their defaults, and empty ones are not written") {
  CHECK(problems_of(parsed(kSmallest), reflect::Unknown::refuse).empty());
  const auto read = from_json<Shapes>(parsed(kSmallest));
  REQUIRE(read.ok());
  CHECK(read->limit == 7);
  CHECK(read->label == "none");
  CHECK_FALSE(read->flag);
  CHECK_FALSE(read->maybe.has_value());
  const json::value written = to_json(*read);
  for (const char* absent : {"maybe", "maybe_inner", "list", "named"}) {
    CHECK_FALSE(written.get_object().contains(absent));
  }
}

TEST_CASE("reflect: null stands for absent where absence is fine, and nowhere else") {
  for (const std::string name :
       {"flag", "maybe", "maybe_inner", "list", "named", "limit", "label"}) {
    CAPTURE(name);
    CHECK(problems_of(with(name, "null"), reflect::Unknown::refuse).empty());
  }
  const auto read = from_json<Shapes>(with("limit", "null"));
  REQUIRE(read.ok());
  CHECK(read->limit == 7);
  for (const std::string name : {"small", "text", "blob", "org", "at", "colour", "inner"}) {
    CAPTURE(name);
    CHECK(count_of_problems(with(name, "null")) == 1);
  }
}

TEST_CASE("reflect: each wrong value is one problem at its pointer") {
  const struct {
    std::string name;
    std::string value;
    std::string problem;
  } cases[] = {
      {"small", "128", "/small: is out of range"},
      {"small", "-129", "/small: is out of range"},
      {"small", "1.0", "/small: must be an integer in the range of 64 bits"},
      {"small", "\"1\"", "/small: must be an integer"},
      {"big", "9223372036854775808", "/big: must be an integer in the range of 64 bits"},
      {"big", "1e3", "/big: must be an integer in the range of 64 bits"},
      {"span_ms", "true", "/span_ms: must be an integer"},
      {"flag", "0", "/flag: must be true or false"},
      {"flag", "\"true\"", "/flag: must be true or false"},
      {"text", "1", "/text: must be a string"},
      {"blob", "\"=\"", "/blob: must be base64"},
      {"blob", "\"AP+\"", "/blob: must be base64"},
      {"blob", "[]", "/blob: must be a string"},
      {"org", "\"key_00000000000000000000000001\"", "/org: is not an id of the right kind"},
      {"org", "\"org_0000000000000000000000000I\"", "/org: is not an id of the right kind"},
      {"at", "\"2026-02-30T00:00:00Z\"", "/at: must be an RFC 3339 time in UTC"},
      {"at", "\"2026-01-31T12:00:00+01:00\"", "/at: must be an RFC 3339 time in UTC"},
      {"at", "0", "/at: must be a string"},
      {"colour", "\"Red\"", "/colour: must be one of red, green"},
      {"colour", "0", "/colour: must be a string"},
      {"maybe", "{}", "/maybe: must be an integer"},
      {"maybe_inner", "{}", "/maybe_inner/n: is required"},
      {"list", "{}", "/list: must be an array"},
      {"list", "[{\"n\":1},{\"n\":1,\"tags\":[\"a\",2]}]", "/list/1/tags/1: must be a string"},
      {"named", "[]", "/named: must be an object"},
      {"named", "{\"a/b~\":{\"n\":\"1\"}}", "/named/a~1b~0/n: must be an integer"},
      {"inner", "[]", "/inner: must be an object"},
      {"inner", "{\"n\":1,\"N\":2}", "/inner/N: is not a known field"},
      {"list", "[{\"n\":1,\"x\":[]}]", "/list/0/x: is not a known field"},
      {"named", "{\"k\":{\"n\":1,\"\":0}}", "/named/k/: is not a known field"},
      {"tally", "5", "/tally: must be an object"},
      {"tally", "{\"what\":\"w\",\"count\":1.5}",
       "/tally/count: must be an integer in the range of 64 bits"},
      {"other", "1", "/other: is not a known field"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.value);
    CHECK(problems_of(with(c.name, c.value), reflect::Unknown::refuse) == c.problem + "\n");
  }
}

TEST_CASE("reflect: all problems of an input are told at once") {
  const json::value in = parsed(R"({"small":"x","flag":1,"list":[{"n":1},{},{"n":"2","tags":[1]}],)"
                                R"("named":{"k":null},"inner":{"tags":7},"extra":0})");
  CHECK(problems_of(in, reflect::Unknown::refuse) ==
        "/small: must be an integer\n"
        "/big: is required\n"
        "/flag: must be true or false\n"
        "/text: is required\n"
        "/blob: is required\n"
        "/org: is required\n"
        "/at: is required\n"
        "/span_ms: is required\n"
        "/colour: is required\n"
        "/list/1/n: is required\n"
        "/list/2/n: must be an integer\n"
        "/list/2/tags/0: must be a string\n"
        "/named/k: must be an object\n"
        "/inner/n: is required\n"
        "/inner/tags: must be an array\n"
        "/tally: is required\n"
        "/extra: is not a known field\n");
  CHECK(problems_of(parsed("[]"), reflect::Unknown::refuse) == ": must be an object\n");
}

TEST_CASE("reflect: the number of problems is bounded, whatever the input") {
  std::string list = "[";
  std::string named = "{";
  std::string unknown = kSmallest;
  unknown.pop_back();
  for (int i = 0; i < 1000; ++i) {
    list += i == 0 ? "0" : ",0";
    named += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    unknown += ",\"u" + std::to_string(i) + "\":0";
  }
  CHECK(count_of_problems(with("list", list + "]")) == reflect::kProblemsMax);
  CHECK(count_of_problems(with("named", named + "}")) == reflect::kProblemsMax);
  CHECK(count_of_problems(parsed(unknown + "}")) == reflect::kProblemsMax);
}

TEST_CASE("reflect: stored data may hold members of later versions, but no wrong ones") {
  CHECK(from_json<Shapes>(with("other", "{}")).ok());
  CHECK(from_json<Shapes>(with("inner", R"({"n":1,"later":[]})")).ok());
  const auto missing = from_json<Shapes>(parsed("{}"));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::corrupt);
  CHECK(missing.error().message == "/small is required");
  CHECK_FALSE(from_json<Shapes>(with("list", "[1]")).ok());
}

TEST_CASE("reflect: names of enums are found both ways") {
  CHECK(enum_text(Colour::green) == "green");
  CHECK(enum_from<Colour>("green") == Colour::green);
  CHECK_FALSE(enum_from<Colour>("GREEN").has_value());
  CHECK_FALSE(enum_from<Colour>("").has_value());
}

TEST_CASE("reflect: text is written byte for byte as a tree is printed") {
  Shapes shapes = full_shapes();
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    shapes.text = std::string("a") + static_cast<char>(byte) + "z";
    shapes.named = {{shapes.text, Inner{byte, {shapes.text, ""}}}};
    CHECK(to_text(shapes) == json::print(to_json(shapes)));
  }
  for (const std::int64_t number : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                    std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
    shapes.big = number;
    shapes.at = {number / 1'000'000};
    CHECK(to_text(shapes) == json::print(to_json(shapes)));
  }
  CHECK(to_text(Inner{}) == json::print(to_json(Inner{})));
}

TEST_CASE("reflect: members are found in whatever order they stand") {
  const auto read = from_text<Inner>(R"({"z":0,"tags":["a"],"y":{},"n":3,"x":[]})");
  REQUIRE(read.ok());
  CHECK(read->n == 3);
  CHECK(read->tags == std::vector<std::string>{"a"});
  CHECK_FALSE(from_text<Inner>(R"({"n":1,"n":1})").ok());
  CHECK_FALSE(from_text<Inner>("").ok());
  CHECK_FALSE(from_text<Inner>("3").ok());
}
