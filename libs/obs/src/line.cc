// SPDX-License-Identifier: Apache-2.0
#include "line.h"

#include <array>
#include <cmath>

#include "base/bytes.h"
#include "base/limits.h"
#include "codec/json.h"

namespace sandtrail {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
// What `,"cut":true}` and a newline take at most.
constexpr std::size_t kTailBytes = 16;

constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warn", "error", "off"};

// Valid UTF-8 of at most kLogValueBytesMax bytes.
std::string clean(std::string_view text, bool& cut) {
  if (text.size() > limits::kLogValueBytesMax) {
    text = utf8_prefix(text, limits::kLogValueBytesMax);
    cut = true;
  }
  if (is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length < 4 && length < text.size() && !is_utf8(text.substr(0, length))) ++length;
    const bool good = is_utf8(text.substr(0, length));
    out += good ? text.substr(0, length) : kReplacement;
    text.remove_prefix(good ? length : 1);
  }
  return out;
}

json::value json_of(const LogValue& value, bool& cut) {
  return std::visit(
      [&cut](const auto& v) -> json::value {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string>) {
          return json::value(std::string_view(clean(v, cut)));
        } else if constexpr (std::is_same_v<T, double>) {
          // JSON has no number for these.
          if (!std::isfinite(v)) return std::isnan(v) ? "nan" : (v > 0 ? "inf" : "-inf");
          return v;
        } else {
          return v;
        }
      },
      value.get());
}

bool needs_quotes(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7f') return true;
  }
  return text.empty();
}

// A control character in a message could move the cursor of whoever reads the log.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text;
}

}  // namespace

std::string json_line(UnixMs time, LogLevel level, std::string_view message, LogFields fields) {
  bool cut = false;
  json::object head;
  head["ts"] = rfc3339(time);
  head["level"] = kLevelNames[static_cast<std::size_t>(level)];
  std::string text = clean(message, cut);
  head["msg"] = std::string_view(text);
  std::string line = json::print(head);
  while (line.size() + kTailBytes > limits::kLogLineBytesMax) {  // escapes take up to six bytes
    text = utf8_prefix(text, text.size() / 2);
    cut = true;
    head["msg"] = std::string_view(text);
    line = json::print(head);
  }
  line.pop_back();  // "}", put back below
  for (const LogField& field : fields) {
    json::object one;
    one[clean(field.name, cut)] = json_of(field.value, cut);
    std::string member = json::print(one);
    if (line.size() + member.size() + kTailBytes > limits::kLogLineBytesMax) {
      cut = true;
      break;
    }
    member.front() = ',';
    member.pop_back();
    line += member;
  }
  if (cut) line += R"(,"cut":true)";
  return line + "}\n";
}

std::string text_line(UnixMs time, LogLevel level, std::string_view message, LogFields fields) {
  bool cut = false;
  std::string line = rfc3339(time) + ' ';
  line += kLevelNames[static_cast<std::size_t>(level)];
  line.append(level == LogLevel::info || level == LogLevel::warn ? 2 : 1, ' ');
  line += printable(clean(message, cut));
  for (const LogField& field : fields) {
    const json::value value = json_of(field.value, cut);
    std::string text = ' ' + printable(clean(field.name, cut)) + '=';
    if (value.is_string() && !needs_quotes(value.get_string())) {
      text += std::string_view(value.get_string());
    } else {
      text += json::print(value);
    }
    if (line.size() + text.size() + kTailBytes > limits::kLogLineBytesMax) {
      cut = true;
      break;
    }
    line += text;
  }
  if (cut) line += " cut=true";
  return line + '\n';
}

}  // namespace sandtrail
