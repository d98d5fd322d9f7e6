// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace sandtrail::http {
namespace {

constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the last one of the year 9999

// The digits of `text` as a number, or -1.
int digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

template <std::size_t N>
int index_of(const std::array<const char*, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

}  // namespace

std::string http_date(UnixMs time) {
  namespace chrono = std::chrono;
  const std::int64_t total = std::clamp<std::int64_t>(time.count / 1000, 0, kSecondsMax);
  const chrono::sys_days day{chrono::days{total / 86'400}};
  const chrono::year_month_day date{day};
  const int rest = static_cast<int>(total % 86'400);
  char text[40];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[chrono::weekday{day}.c_encoding()], unsigned{date.day()},
                kMonths[unsigned{date.month()} - 1], int{date.year()}, rest / 3600, rest / 60 % 60,
                rest % 60);
  return text;
}

std::optional<UnixMs> parse_http_date(std::string_view text) {
  namespace chrono = std::chrono;
  // Sun, 06 Nov 1994 08:49:37 GMT
  // 0    5  8   12   17 20 23 26
  if (text.size() != 29 || index_of(kDays, text.substr(0, 3)) < 0 || text.substr(3, 2) != ", " ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':' ||
      text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const int day = digits(text.substr(5, 2));
  const int month = index_of(kMonths, text.substr(8, 3));
  const int year = digits(text.substr(12, 4));
  const int hour = digits(text.substr(17, 2));
  const int minute = digits(text.substr(20, 2));
  const int second = digits(text.substr(23, 2));
  // 60 is a leap second, which Unix time has not: it reads as the second before.
  if (day < 1 || month < 0 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  const chrono::year_month_day date{chrono::year{year},
                                    chrono::month{static_cast<unsigned>(month) + 1},
                                    chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t total = days * 86'400 + hour * 3600 + minute * 60 + std::min(second, 59);
  return UnixMs{total * 1000};
}

}  // namespace sandtrail::http
