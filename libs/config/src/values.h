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

// One entry of a table of texts.
struct TableEntry {
  std::string name;
  std::string value;
};

// monostate: something no setting is made of (a date, a float, a mixed list).
using Raw = std::variant<std::monostate, std::string, std::int64_t, bool, std::vector<std::string>,
                         std::vector<std::int64_t>, TableEntry>;

enum class Kind { text, integer, flag, texts, integers, table };

// Of a list with commas, without the spaces around them; none of an empty text.
std::vector<std::string> parts_of(std::string_view text);
// Of a variable; monostate if it can't be read as that kind. Not of a table.
Raw raw_from_variable(Kind kind, std::string_view text);
// Of a table: "name=value,name=value"; nullopt if a part is no such pair.
std::optional<std::vector<TableEntry>> table_from_variable(std::string_view text);
// The text of a text, integer or flag, as libraries write their settings; else nullopt.
std::optional<std::string> plain_text(const Raw& raw);
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
// "host:port", "[::1]:port"; the host may be a name. nullopt if it is not that.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
std::optional<HostPort> parse_host_port(std::string_view text);
// 127.0.0.0/8, ::1, localhost.
bool is_loopback(const std::string& host);

// What is wrong with an http or https URL; empty is fine.
std::string url_problem(const std::string& value);

std::string toml_text(std::string_view text);  // quoted

}  // namespace sandtrail::config
