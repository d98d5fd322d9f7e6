// SPDX-License-Identifier: Apache-2.0
#include "retry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>

namespace sandtrail {

AttemptResult result_of(const Result<http::ClientResponse>& answer) {
  if (!answer.ok()) return AttemptResult::failed;
  if (answer->status >= 200 && answer->status < 300) return AttemptResult::delivered;
  return answer->status == 410 ? AttemptResult::gone : AttemptResult::failed;
}

std::string error_word(const Error& error) {
  return error.code == ErrorCode::denied ? "address_not_allowed" : std::string(name_of(error.code));
}

namespace {

// IMF-fixdate only ("Sun, 06 Nov 1994 08:49:37 GMT"): what senders must generate.
std::optional<UnixMs> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return UnixMs{static_cast<std::int64_t>(::timegm(&parts)) * 1000};
}

}  // namespace

std::optional<Millis> retry_after_of(const http::ClientResponse& answer, UnixMs now) {
  const auto field = answer.fields.get("Retry-After");
  if (!field) return std::nullopt;
  std::int64_t count = 0;
  const auto parsed = std::from_chars(field->data(), field->data() + field->size(), count);
  std::optional<Millis> wait;
  if (parsed.ec == std::errc() && parsed.ptr == field->data() + field->size()) {
    wait = seconds(std::clamp<std::int64_t>(count, 0, 86'400));
  } else if (const auto date = parse_http_date(*field)) {
    wait = *date - now;
  }
  if (!wait) return std::nullopt;
  return std::clamp(*wait, Millis{0}, hours(24));
}

std::optional<UnixMs> next_attempt(const std::vector<Millis>& schedule, std::int64_t made,
                                   std::optional<Millis> retry_after, UnixMs now, Random& random) {
  if (made < 1 || made > static_cast<std::int64_t>(schedule.size())) return std::nullopt;
  Millis wait = schedule[static_cast<std::size_t>(made - 1)];
  wait.count +=
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(wait.count / 5 + 1)));
  if (retry_after) wait = std::max(wait, *retry_after);
  return now + wait;
}

}  // namespace sandtrail
