// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <doctest/doctest.h>

using namespace sandtrail;

TEST_CASE("rfc 3339: text and back") {
  const std::pair<std::int64_t, const char*> rows[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {1'700'000'000'123, "2023-11-14T22:13:20.123Z"},
      {-1, "1969-12-31T23:59:59.999Z"}};
  for (const auto& [ms, text] : rows) {
    CHECK(rfc3339({ms}) == text);
    CHECK(parse_rfc3339(text) == UnixMs{ms});
  }
  CHECK(parse_rfc3339("2023-11-14T22:13:20Z") == UnixMs{1'700'000'000'000});
  CHECK(parse_rfc3339("2023-11-14T22:13:20.1239Z") == UnixMs{1'700'000'000'123});
}

TEST_CASE("rfc 3339: what is refused") {
  for (const char* text :
       {"", "2023-11-14", "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20",
        "2023-11-14T22:13:20+00:00", "2023-11-14t22:13:20Z", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.1234567890Z", "2023-11-14T22:13:20Z "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}
