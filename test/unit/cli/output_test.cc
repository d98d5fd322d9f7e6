// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api.h"
#include "listing.h"
#include "run_request.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

TEST_CASE("credits are exact decimals, both ways") {
  struct Row {
    std::int64_t count;
    std::string text;
  };
  for (const Row& row : {Row{0, "0"}, Row{1, "0.000001"}, Row{1'000'000, "1"},
                         Row{12'500'000, "12.5"}, Row{100'000'010, "100.00001"}}) {
    CHECK(credits_text(row.count) == row.text);
    CHECK(parse_credits(row.text) == row.count);
  }
  CHECK(credits_text(-1'500'000) == "-1.5");
  CHECK(credits_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854.775808");
  for (const char* wrong : {"", "-1", "1.", ".5", "1.0000001", "1e3", "1,5", "9999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_credits(wrong).has_value());
  }
}

TEST_CASE("tables align by characters, not bytes") {
  Table table({"NAME", "X"});
  table.add({"\xC3\xA9\xC3\xA9", "1"});
  table.add({"long name", "2"});
  CHECK(table.text() ==
        "NAME       X\n"
        "\xC3\xA9\xC3\xA9         1\n"
        "long name  2\n");
}

TEST_CASE("spans read well") {
  CHECK(span_text_us(0) == "0.0 ms");
  CHECK(span_text_us(12'345) == "12.3 ms");
  CHECK(span_text_us(1'234'567) == "1.23 s");
}

TEST_CASE("the suffix of a file gives its language") {
  struct Row {
    const char* path;
    const char* language;
  };
  for (const Row& row : {Row{"a.py", "python"}, Row{"d/a.mjs", "node"}, Row{"a.cc", "cpp"},
                         Row{"a.c", "c"}, Row{"a.sh", "bash"}, Row{"a.txt", ""}, Row{"py", ""}}) {
    CHECK(language_of(row.path) == row.language);
  }
}

TEST_CASE("queries hold what is not empty, encoded") {
  CHECK(query_of({{"a", ""}, {"b", "1 &"}, {"c", "\xC3\xA9"}}) == "?b=1%20%26&c=%c3%a9");
  CHECK(query_of({{"a", ""}}) == "");
}

}  // namespace
}  // namespace sandtrail::cli
