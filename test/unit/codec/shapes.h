// SPDX-License-Identifier: Apache-2.0
// One struct with every shape that reflect.h knows, for the tests of reading, writing and schema.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/reflect.h"

namespace sandtrail {

enum class Colour { red, green };
template <>
struct EnumNames<Colour> {
  static constexpr std::array<std::pair<Colour, std::string_view>, 2> names{
      {{Colour::red, "red"}, {Colour::green, "green"}}};
};

struct Inner {
  std::int64_t n = 0;
  std::vector<std::string> tags;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("n", s.n);
    v("tags", s.tags);
  }
};

// Described, and with a member named `count`: still an object, not an amount.
struct Tally {
  std::string what;
  std::int64_t count = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("what", s.what);
    v("count", s.count);
  }
};

struct Shapes {
  std::int8_t small = 0;
  std::int64_t big = 0;
  bool flag = false;
  std::string text;
  Blob blob;
  OrgId org;
  UnixMs at;
  Millis span;
  Colour colour = Colour::red;
  std::optional<std::int64_t> maybe;
  std::optional<Inner> maybe_inner;
  std::vector<Inner> list;
  std::map<std::string, Inner> named;
  Inner inner;
  Tally tally;
  std::int64_t limit = 7;
  std::string label = "none";
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("small", s.small);
    v("big", s.big);
    v("flag", s.flag);
    v("text", s.text);
    v("blob", s.blob);
    v("org", s.org);
    v("at", s.at);
    v("span_ms", s.span);
    v("colour", s.colour);
    v("maybe", s.maybe);
    v("maybe_inner", s.maybe_inner);
    v("list", s.list);
    v("named", s.named);
    v("inner", s.inner);
    v("tally", s.tally);
    v.with_default("limit", s.limit);
    v.with_default("label", s.label);
  }
};

inline Shapes full_shapes() {
  Shapes s;
  s.small = -128;
  s.big = std::numeric_limits<std::int64_t>::min();
  s.flag = true;
  s.text = std::string("a\0\"\\/\n\u00e9\U0001F600", 12);
  s.blob.bytes = std::string("\0\xff\x80", 3);
  s.org = OrgId::derived("0123456789abcdef");
  s.at = UnixMs{1'700'000'000'123};
  s.span = Millis{-5};
  s.colour = Colour::green;
  s.maybe = 0;
  s.maybe_inner = Inner{1, {"x"}};
  s.list = {{1, {}}, {2, {"a", ""}}};
  s.named = {{"", {3, {}}}, {"a/b~c", {4, {"z"}}}};
  s.inner = {5, {"t"}};
  s.tally = {"apples", 6};
  s.limit = 8;
  s.label = "";
  return s;
}

}  // namespace sandtrail
