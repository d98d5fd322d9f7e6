// SPDX-License-Identifier: Apache-2.0
#include "values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/limits.h"

namespace sandtrail::config {
namespace {

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

constexpr std::size_t kDomainNameBytesMax = 253;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

}  // namespace

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  if (trimmed(text).empty()) return parts;
  while (true) {
    const auto comma = text.find(',');
    parts.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

Raw raw_from_variable(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::text:
      return std::string(text);
    case Kind::integer: {
      const auto number = whole_number<std::int64_t>(text);
      return number ? Raw(*number) : Raw();
    }
    case Kind::flag:
      if (text == "true") return true;
      if (text == "false") return false;
      return {};
    case Kind::texts:
      return parts_of(text);
    case Kind::integers: {
      std::vector<std::int64_t> numbers;
      for (const std::string& part : parts_of(text)) {
        const auto number = whole_number<std::int64_t>(part);
        if (!number) return {};
        numbers.push_back(*number);
      }
      return numbers;
    }
    case Kind::table:
      break;
  }
  return {};
}

std::optional<std::vector<TableEntry>> table_from_variable(std::string_view text) {
  std::vector<TableEntry> out;
  for (const std::string& part : parts_of(text)) {
    const auto equals = part.find('=');
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    out.push_back({part.substr(0, equals), part.substr(equals + 1)});
  }
  return out;
}

std::optional<std::string> plain_text(const Raw& raw) {
  if (const auto* text = as<std::string>(raw)) return *text;
  if (const auto* number = as<std::int64_t>(raw)) return std::to_string(*number);
  if (const auto* truth = as<bool>(raw)) return *truth ? "true" : "false";
  return std::nullopt;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = whole_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    std::array<unsigned char, 16> address{};
    const std::string inside(host.substr(1, host.size() - 2));
    if (::inet_pton(AF_INET6, inside.c_str(), address.data()) != 1) return std::nullopt;
    return HostPort{inside, *port};
  }
  // A name or an IPv4 address: letters, digits, hyphens, points (RFC 1123 section 2.1), and the
  // underscore that container platforms put into names.
  const bool fine = !host.empty() && host.size() <= kDomainNameBytesMax &&
                    std::all_of(host.begin(), host.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
                    });
  if (!fine) return std::nullopt;
  return HostPort{std::string(host), *port};
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  std::array<unsigned char, 4> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 && address[0] == 127;
}

std::optional<ListenAddress> parse_listen(std::string_view text) {
  if (text == "off") return ListenAddress{};
  if (text.starts_with("unix:")) {
    if (text.size() <= 5 + limits::kUnixPathBytesMax && text.substr(5).starts_with('/')) {
      return ListenAddress{std::string(text), 0};
    }
    return std::nullopt;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = whole_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  std::array<unsigned char, 16> address{};
  int family = AF_INET;
  if (host.starts_with('[') && host.ends_with(']')) {
    family = AF_INET6;
    host = host.substr(1, host.size() - 2);
  }
  if (!port || ::inet_pton(family, std::string(host).c_str(), address.data()) != 1) {
    return std::nullopt;
  }
  return ListenAddress{std::string(host), *port};
}

std::optional<Millis> parse_span(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || digits == 0 || digits > 9) return std::nullopt;
  for (const auto& [unit, unit_ms] : kUnits) {
    if (text.substr(digits) != unit) continue;
    const Millis span{*whole_number<std::int64_t>(text.substr(0, digits)) * unit_ms};
    return span <= days(10'000) ? std::optional(span) : std::nullopt;
  }
  return std::nullopt;
}

std::string span_text(Millis span) {
  for (const auto& [unit, unit_ms] : kUnits) {
    if (span.count % unit_ms == 0 && (span.count != 0 || unit == "ms")) {
      return std::to_string(span.count / unit_ms) + std::string(unit);
    }
  }
  return std::to_string(span.count) + "ms";
}

bool is_cidr(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  const std::string host = text.substr(0, slash);
  const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::array<unsigned char, 16> address{};
  const auto bits = whole_number<unsigned>(std::string_view(text).substr(slash + 1));
  return ::inet_pton(family, host.c_str(), address.data()) == 1 && bits &&
         *bits <= (family == AF_INET ? 32u : 128u);
}

std::string url_problem(const std::string& value) {
  const bool fine = value.empty() || ((value.starts_with("http://") && value.size() > 7) ||
                                      (value.starts_with("https://") && value.size() > 8));
  if (!fine) return "must be an http or https URL";
  return value.ends_with('/') ? "must not end with /" : "";
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace sandtrail::config
