// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <chrono>

namespace sandtrail {
namespace {

// Reads exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Quicker than printf by far, and every record has times.
void put_digits(std::string& out, unsigned value, std::size_t digits) {
  out.append(digits, '0');
  for (char* at = out.data() + out.size(); digits-- > 0; value /= 10) {
    *--at = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

std::string rfc3339(UnixMs time) {
  std::string out;
  append_rfc3339(out, time);
  return out;
}

void append_rfc3339(std::string& out, UnixMs time) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds{time.count}};
  const auto day = floor<std::chrono::days>(point);
  const year_month_day date{day};
  const hh_mm_ss clock{point - day};
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) {
    out += std::to_string(year);
  } else {
    put_digits(out, static_cast<unsigned>(year), 4);
  }
  put_digits(out += '-', static_cast<unsigned>(date.month()), 2);
  put_digits(out += '-', static_cast<unsigned>(date.day()), 2);
  put_digits(out += 'T', static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(out += ':', static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(out += ':', static_cast<unsigned>(clock.seconds().count()), 2);
  put_digits(out += '.', static_cast<unsigned>(clock.subseconds().count()), 3);
  out += 'Z';
}

std::optional<UnixMs> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take_char(text, '-')) return std::nullopt;
  const auto mon = take_digits(text, 2);
  if (!mon || !take_char(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d || !take_char(text, 'T')) return std::nullopt;
  const auto h = take_digits(text, 2);
  if (!h || *h > 23 || !take_char(text, ':')) return std::nullopt;
  const auto min = take_digits(text, 2);
  if (!min || *min > 59 || !take_char(text, ':')) return std::nullopt;
  const auto s = take_digits(text, 2);
  if (!s || *s > 59) return std::nullopt;
  int ms = 0;
  if (take_char(text, '.')) {
    int digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
      if (digits < 3) ms = ms * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 3; ++digits) ms *= 10;
  }
  if (!take_char(text, 'Z') || !text.empty()) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mon)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  const sys_days day_point{date};
  const auto point = day_point + std::chrono::hours{*h} + std::chrono::minutes{*min} +
                     std::chrono::seconds{*s} + milliseconds{ms};
  return UnixMs{duration_cast<milliseconds>(point.time_since_epoch()).count()};
}

}  // namespace sandtrail
