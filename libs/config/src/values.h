// SPDX-License-Identifier: Apache-2.0
// Values on their way from a file or a variable into a typed setting. An empty problem means fine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "config/config.h"

namespace sandtrail::config {

// monostate: something no setting is made of (a date, a float, a mixed list).
using Raw = std::variant<std::monostate, std::string, std::int64_t, bool, std::vector<std::string>,
                         std::vector<std::int64_t>>;

enum class Kind { text, integer, flag, texts, integers };

// Of a variable; monostate if it can't be read as that kind.
Raw raw_from_variable(Kind kind, std::string_view text);
// The value as that kind, with an empty list being of every kind of list; else nullptr.
template <typename T>
const T* as(const Raw& raw) {
  return std::get_if<T>(&raw);
}

// "127.0.0.1:8080", "[::1]:8080", "unix:/path"; "off" gives an empty one.
std::optional<ListenAddress> parse_listen(std::string_view text);
// "7d", "90s", "1500ms"; units ms, s, m, h, d. At most 10000 days.
std::optional<Millis> parse_span(std::string_view text);
std::string span_text(Millis span);
bool is_cidr(const std::string& text);

std::string toml_text(std::string_view text);  // quoted

}  // namespace sandtrail::config
