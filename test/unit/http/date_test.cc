// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "http/date.h"

using namespace sandtrail;
using namespace sandtrail::http;

TEST_CASE("dates of HTTP fields are written and read back") {
  struct Row {
    std::int64_t unix_seconds;
    const char* text;
  };
  const Row rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {1'767'225'599, "Wed, 31 Dec 2025 23:59:59 GMT"},
      {253'402'300'799, "Fri, 31 Dec 9999 23:59:59 GMT"},
  };
  for (const Row& row : rows) {
    CHECK(http_date({row.unix_seconds * 1000 + 999}) == row.text);
    CHECK(parse_http_date(row.text) == UnixMs{row.unix_seconds * 1000});
  }
  CHECK(http_date({-5}) == rows[0].text);
  CHECK(http_date({INT64_MAX}) == rows[4].text);
}

TEST_CASE("other texts are no date") {
  for (const char* bad : {"", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT",
                          "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                          "Sun, 06 Nov 1994 08:49:61 GMT", "Xxx, 06 Nov 1994 08:49:37 GMT",
                          "Sun, 06 NOV 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 00 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1969 08:49:37 GMT"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(parse_http_date(bad).has_value());
  }
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") ==
        parse_http_date("Sat, 31 Dec 2016 23:59:59 GMT"));
}
