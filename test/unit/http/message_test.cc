// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "http/message.h"

using namespace sandtrail;
using namespace sandtrail::http;

TEST_CASE("fields are found without case and keep their order") {
  Fields fields;
  fields.add("Accept", "a");
  fields.add("X-One", "1");
  fields.add("ACCEPT", "b");
  CHECK(fields.get("accept") == "a");
  CHECK(fields.has("x-oNE"));
  CHECK_FALSE(fields.has("x-on"));
  CHECK_FALSE(fields.get("x-one2").has_value());
  CHECK(fields.all().size() == 3);
  fields.set("accept", "c");
  REQUIRE(fields.all().size() == 2);
  CHECK(fields.all()[0].first == "X-One");
  CHECK(fields.get("Accept") == "c");
}

TEST_CASE("only ASCII letters have a case") {
  CHECK(same_field_name("ETag", "etag"));
  CHECK_FALSE(same_field_name("@a", "`a"));
  CHECK_FALSE(same_field_name("[", "{"));
  CHECK_FALSE(same_field_name("a", "ab"));
}

TEST_CASE("field names and values that could break a message are told") {
  for (const char* good : {"a", "X-Y_z.1", "!#$%&'*+-.^_`|~"}) CHECK(valid_field_name(good));
  for (const char* bad : {"", "a b", "a:", "a\r", "a\n", "\xc3\xa4", "a(", "a/b", "a\"", "a\x7f"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(valid_field_name(bad));
  }
  for (const char* good : {"", "a b", "a\tb", "\"x\"; q=1"}) CHECK(valid_field_value(good));
  for (const char* bad : {"a\r\nb", "\n", "\x01", "\x7f", "\xc3\xa4"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(valid_field_value(bad));
  }
  CHECK_FALSE(valid_field_value(std::string_view("\0", 1)));
}

TEST_CASE("registered statuses have their phrase") {
  CHECK(reason_phrase(100) == "Continue");
  CHECK(reason_phrase(200) == "OK");
  CHECK(reason_phrase(404) == "Not Found");
  CHECK(reason_phrase(422) == "Unprocessable Content");
  CHECK(reason_phrase(511) == "Network Authentication Required");
  for (const int none : {0, 99, 199, 299, 418, 599, 1000, -1}) CHECK(reason_phrase(none) == "");
}

TEST_CASE("a query is read into decoded pairs, or not at all") {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  struct Row {
    const char* query;
    std::optional<Pairs> pairs;
  };
  const Row rows[] = {
      {"", Pairs{}},
      {"&&", Pairs{}},
      {"a=1&b=x%20y", Pairs{{"a", "1"}, {"b", "x y"}}},
      {"b=2&a=1&b=3", Pairs{{"b", "2"}, {"a", "1"}, {"b", "3"}}},
      {"a", Pairs{{"a", ""}}},
      {"a=", Pairs{{"a", ""}}},
      {"=a", Pairs{{"", "a"}}},
      {"=", Pairs{{"", ""}}},
      {"a=b=c", Pairs{{"a", "b=c"}}},
      {"&a=1&", Pairs{{"a", "1"}}},
      {"a+b=c+d%2B", Pairs{{"a b", "c d+"}}},
      {"%61=%C3%a4", Pairs{{"a", "\xc3\xa4"}}},
      {"a=%26%3D", Pairs{{"a", "&="}}},
      {"a=%", std::nullopt},
      {"a=%2", std::nullopt},
      {"a=%2&b=1", std::nullopt},
      {"a=%g0", std::nullopt},
      {"a=%0g", std::nullopt},
      {"%ff=1", std::nullopt},
      {"a=%C3", std::nullopt},
      {"a=%ED%A0%80", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.query));
    CHECK(parse_query(row.query) == row.pairs);
  }
}

TEST_CASE("a path segment is decoded without reading plus as a blank") {
  CHECK(percent_decode("a%2Fb+c") == "a/b+c");
  CHECK(percent_decode("") == "");
  CHECK_FALSE(percent_decode("%").has_value());
  CHECK_FALSE(percent_decode("%C0%80").has_value());
}
