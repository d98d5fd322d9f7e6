// SPDX-License-Identifier: Apache-2.0
#include "http/sse.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::int64_t kRetryMsMax = 86'400'000;  // a day; longer digits are no wait but an attack

std::string one_line(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return out;
}

void put_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\n");
}

// All digits, as the specification asks; nullopt for anything else.
std::optional<Millis> parse_retry(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kRetryMsMax);
  }
  return Millis{value};
}

}  // namespace

std::string sse_text(const SseEvent& event) {
  std::string out;
  out.reserve(event.data.size() + event.id.size() + event.event.size() + 32);
  if (!event.id.empty()) put_field(out, "id", one_line(event.id));
  if (!event.event.empty()) put_field(out, "event", one_line(event.event));
  std::string_view rest = event.data;
  for (;;) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    put_field(out, "data", rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(rest.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  out += '\n';
  return out;
}

std::string sse_comment(std::string_view text) {
  return ": " + one_line(text) + "\n\n";
}

std::string sse_retry(Millis wait) {
  return "retry: " + std::to_string(wait.count) + "\n\n";
}

Status SseParser::feed(BytesView bytes, const OnEvent& on_event) {
  const auto too_long = [&] {
    failed_ = true;
    return Error{ErrorCode::overloaded, "an event of the stream is too long", ""};
  };
  if (failed_) return too_long();
  while (!bytes.empty()) {
    if (skip_line_feed_) {
      skip_line_feed_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + end > limits::kSseEventBytesMax) return too_long();
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) break;
    skip_line_feed_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!end_line(on_event)) return too_long();
  }
  return {};
}

Status SseParser::end_line(const OnEvent& on_event) {
  std::string_view line = line_;
  if (first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  first_line_ = false;
  if (line.empty()) {
    dispatch(on_event);
  } else {
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);  // "" for a comment
    std::string_view value = line.substr(std::min(line.size(), colon + 1));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
      if (data_.size() + value.size() > limits::kSseEventBytesMax) {
        return Error{ErrorCode::overloaded, "an event of the stream is too long", ""};
      }
      data_.append(value).append("\n");
    } else if (name == "event") {
      event_ = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
      id_pending_ = value;
    } else if (name == "retry") {
      if (const auto wait = parse_retry(value)) retry_ = wait;
    }
  }
  line_.clear();
  return {};
}

void SseParser::dispatch(const OnEvent& on_event) {
  id_ = id_pending_;
  if (!data_.empty()) {
    data_.pop_back();
    on_event(SseEvent{id_, std::move(event_), std::move(data_)});
  }
  data_.clear();
  event_.clear();
}

}  // namespace sandtrail::http
