// SPDX-License-Identifier: Apache-2.0
// Points and spans of time as integers with their unit in the type. No clock here: base/clock.h.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandtrail {

// A span in milliseconds.
struct Millis {
  std::int64_t count = 0;
  auto operator<=>(const Millis&) const = default;
};

// A point in time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
struct UnixMs {
  std::int64_t count = 0;
  auto operator<=>(const UnixMs&) const = default;
  UnixMs operator+(Millis span) const { return {count + span.count}; }
  UnixMs operator-(Millis span) const { return {count - span.count}; }
  Millis operator-(UnixMs other) const { return {count - other.count}; }
};

constexpr Millis seconds(std::int64_t n) {
  return {n * 1000};
}
constexpr Millis minutes(std::int64_t n) {
  return {n * 60'000};
}
constexpr Millis hours(std::int64_t n) {
  return {n * 3'600'000};
}
constexpr Millis days(std::int64_t n) {
  return {n * 86'400'000};
}

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z. Years 0000 to 9999.
std::string rfc3339(UnixMs time);
void append_rfc3339(std::string& out, UnixMs time);
// The inverse of rfc3339(): upper-case T and Z, 0 to 9 fraction digits (cut to milliseconds).
std::optional<UnixMs> parse_rfc3339(std::string_view text);

}  // namespace sandtrail
