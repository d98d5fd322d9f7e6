// SPDX-License-Identifier: Apache-2.0
#include "retry.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace sandtrail;

namespace {

constexpr UnixMs kNow{784'111'777'000};  // Sun, 06 Nov 1994 08:49:37 GMT

http::ClientResponse answer_of(int status, const std::string& retry_after = "") {
  http::ClientResponse out;
  out.status = status;
  if (!retry_after.empty()) out.fields.add("Retry-After", retry_after);
  return out;
}

}  // namespace

TEST_CASE("only 2xx delivers, and only 410 says that the receiver is gone") {
  const std::vector<std::pair<int, AttemptResult>> rows = {
      {200, AttemptResult::delivered}, {204, AttemptResult::delivered},
      {299, AttemptResult::delivered}, {199, AttemptResult::failed},
      {300, AttemptResult::failed},    {301, AttemptResult::failed},
      {404, AttemptResult::failed},    {410, AttemptResult::gone},
      {429, AttemptResult::failed},    {500, AttemptResult::failed}};
  for (const auto& [status, expected] : rows) {
    CAPTURE(status);
    CHECK(result_of(answer_of(status)) == expected);
  }
  CHECK(result_of(Error{ErrorCode::timeout, "", ""}) == AttemptResult::failed);
}

TEST_CASE("a forbidden address has a word of its own") {
  CHECK(error_word({ErrorCode::denied, "10.0.0.1 is private", ""}) == "address_not_allowed");
  CHECK(error_word({ErrorCode::timeout, "", ""}) == "timeout");
}

TEST_CASE("Retry-After is seconds or a date, and never more than a day") {
  struct Row {
    std::string text;
    std::optional<std::int64_t> wait_s;
  };
  const std::vector<Row> rows = {{"", std::nullopt},
                                 {"0", 0},
                                 {"120", 120},
                                 {"-5", 0},
                                 {"86401", 86'400},
                                 {"99999999999999999999", std::nullopt},
                                 {"12x", std::nullopt},
                                 {" 12", std::nullopt},
                                 {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
                                 {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
                                 {"Wed, 09 Nov 1994 08:49:37 GMT", 86'400},
                                 {"Sun, 06 Nov 1994 08:50:37 GMT!", std::nullopt},
                                 {"Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto wait = retry_after_of(answer_of(503, row.text), kNow);
    CHECK(wait.has_value() == row.wait_s.has_value());
    if (wait && row.wait_s) CHECK(*wait == seconds(*row.wait_s));
  }
}

TEST_CASE("the schedule is followed, with up to a fifth more, until it ends") {
  SeededRandom random(1);
  const std::vector<Millis> schedule = {seconds(5), minutes(5)};
  for (int i = 0; i < 200; ++i) {
    for (const std::int64_t made : {1, 2}) {
      const Millis least = schedule[static_cast<std::size_t>(made - 1)];
      const auto next = next_attempt(schedule, made, std::nullopt, kNow, random);
      REQUIRE(next.has_value());
      CHECK(*next - kNow >= least);
      CHECK((*next - kNow).count <= least.count * 6 / 5);
    }
  }
  CHECK_FALSE(next_attempt(schedule, 3, std::nullopt, kNow, random).has_value());
  CHECK_FALSE(next_attempt({}, 1, std::nullopt, kNow, random).has_value());
}

TEST_CASE("a receiver may ask for a longer wait, not for a shorter one") {
  SeededRandom random(2);
  CHECK(*next_attempt({seconds(5)}, 1, hours(1), kNow, random) == kNow + hours(1));
  CHECK(*next_attempt({hours(2)}, 1, seconds(1), kNow, random) >= kNow + hours(2));
}
