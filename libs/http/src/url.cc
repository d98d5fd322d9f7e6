// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "http/client.h"

namespace sandtrail::http {
namespace {

constexpr std::size_t kLabelBytesMax = 63;  // RFC 1035 section 2.3.4
constexpr std::size_t kNameBytesMax = 253;

Error wrong(std::string message, std::string hint = "") {
  return {ErrorCode::invalid_argument, "URL: " + std::move(message), std::move(hint)};
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool hex_digit(char c) {
  return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// RFC 3986 appendix A, as a whole: nothing that readers repair differently.
Status check_characters(std::string_view text) {
  constexpr std::string_view kRefused = "\"<>\\^`{|}";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c > '~' || kRefused.find(c) != std::string_view::npos) {
      return wrong("a character at byte " + std::to_string(i) + " must be percent-encoded",
                   "international host names go in their xn-- form");
    }
    if (c == '%' && (text.size() - i < 3 || !hex_digit(text[i + 1]) || !hex_digit(text[i + 2]))) {
      return wrong("malformed percent-encoding at byte " + std::to_string(i));
    }
  }
  if (text.find('#') != std::string_view::npos) return wrong("a fragment is not allowed");
  return {};
}

Result<std::string> parse_ipv6(std::string_view text) {
  const std::string terminated(text);
  in6_addr address;
  char canonical[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, terminated.c_str(), &address) != 1 ||
      inet_ntop(AF_INET6, &address, canonical, sizeof canonical) == nullptr) {
    return wrong("the host is no IPv6 address");
  }
  return std::string(canonical);
}

// True if some parsers take the name for an IPv4 address: its last label is a number.
bool ends_in_number(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), digit)) return true;
  return last.starts_with("0x") && std::all_of(last.begin() + 2, last.end(), hex_digit);
}

Result<std::string> parse_name(std::string_view text) {
  std::string name = lower(text);
  if (name.empty()) return wrong("the host is missing");
  if (name.size() > kNameBytesMax) return wrong("the host name is too long");
  std::size_t label = 0;
  for (const char c : name + ".") {
    if (c == '.') {
      if (label == 0) return wrong("the host name has an empty label");
      label = 0;
    } else if (digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_') {
      if (++label > kLabelBytesMax) return wrong("a label of the host name is too long");
    } else {
      return wrong("the host name has a character that names do not have");
    }
  }
  in_addr address;
  if (ends_in_number(name) && inet_pton(AF_INET, name.c_str(), &address) != 1) {
    return wrong("the host is no canonical IPv4 address", "write it as four decimal numbers");
  }
  return name;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || text.size() > 5) {
    return wrong("the port is not a number from 1 to 65535");
  }
  return port;
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

// [host] or [host]:port, the host perhaps in brackets.
Status parse_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) return wrong("user info is not allowed");
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return wrong("the bracket of the host is not closed");
    ST_ASSIGN(url.host, parse_ipv6(authority.substr(1, bracket - 1)));
    rest = authority.substr(bracket + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    ST_ASSIGN(url.host, parse_name(authority.substr(0, colon)));
    rest = authority.substr(colon);
  }
  url.port = default_port(url.scheme);
  if (rest.empty()) return {};
  if (!rest.starts_with(':')) return wrong("the host is followed by something else than a port");
  ST_ASSIGN(url.port, parse_port(rest.substr(1)));
  return {};
}

}  // namespace

std::string Url::text() const {
  return scheme + "://" + authority() + target;
}

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > limits::kHttpTargetBytesMax) {
    return wrong("longer than " + std::to_string(limits::kHttpTargetBytesMax) + " bytes");
  }
  ST_CHECK_OK(check_characters(text));
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return wrong("not absolute", "start it with https://");
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return wrong("the scheme is neither http nor https");
  }
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  ST_CHECK_OK(parse_authority(text.substr(0, end), url));
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace sandtrail::http
