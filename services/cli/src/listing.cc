// SPDX-License-Identifier: Apache-2.0
#include "listing.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "api.h"

namespace sandtrail::cli {
namespace {

std::optional<std::int64_t> integer(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

const json::value* member_at(const json::value& document, std::string_view path) {
  const auto* object = document.if_object();
  if (object == nullptr) return nullptr;
  const auto point = path.find('.');
  const json::value* member = object->if_contains(path.substr(0, point));
  if (member == nullptr || point == std::string_view::npos) return member;
  return member_at(*member, path.substr(point + 1));
}

std::string joined(const json::array& items) {
  std::string out;
  for (const json::value& item : items) {
    if (!out.empty()) out += ' ';
    out += item.is_string() ? std::string(std::string_view(item.get_string())) : json::print(item);
  }
  return out;
}

}  // namespace

std::string span_text_us(std::int64_t count) {
  char text[48];
  const double milliseconds = static_cast<double>(count) / 1000;
  if (milliseconds < 1000) {
    std::snprintf(text, sizeof text, "%.1f ms", milliseconds);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", milliseconds / 1000);
  }
  return text;
}

std::string cell(const json::value& document, const std::string& path) {
  const json::value* member = member_at(document, path);
  if (member == nullptr) return "";
  if (member->is_array()) return joined(member->get_array());
  const std::string text = shown_at(document, path);
  const auto number = integer(text);
  if (number && path.ends_with("_microcredits")) return credits_text(*number);
  if (number && path.ends_with("_us")) return span_text_us(*number);
  return text;
}

int show_list(Session& session, const json::array& items, const std::vector<Column>& columns) {
  if (session.globals.json) {
    session.document(items);
    return 0;
  }
  std::vector<std::string> head;
  for (const Column& column : columns) head.push_back(column.head);
  Table table(std::move(head));
  for (const json::value& item : items) {
    std::vector<std::string> row;
    for (const Column& column : columns) row.push_back(cell(item, column.path));
    table.add(std::move(row));
  }
  if (table.empty()) {
    session.note("none");
  } else {
    session.print(table.text());
  }
  return 0;
}

int show_one(Session& session, const json::value& document, const std::vector<Column>& columns) {
  if (session.globals.json) {
    session.document(document);
    return 0;
  }
  std::size_t width = 0;
  for (const Column& column : columns) width = std::max(width, column.head.size());
  for (const Column& column : columns) {
    const std::string text = cell(document, column.path);
    if (text.empty()) continue;
    session.line(session.painted(column.head, Color::dim) +
                 std::string(width - column.head.size() + 2, ' ') + printable(text));
  }
  return 0;
}

}  // namespace sandtrail::cli
