// SPDX-License-Identifier: Apache-2.0
#include "codec/json.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <cmath>
#include <exception>

#include "base/limits.h"

namespace sandtrail::json {
namespace {

void pretty_to(std::string& out, const value& v, std::size_t depth) {
  const std::string indent((depth + 1) * 2, ' ');
  const auto close = [&](char bracket) {
    out += '\n';
    out.append(depth * 2, ' ');
    out += bracket;
  };
  if (const auto* o = v.if_object(); o != nullptr && !o->empty()) {
    out += '{';
    const char* separator = "\n";
    for (const auto& member : *o) {
      out += separator + indent + boost::json::serialize(member.key()) + ": ";
      pretty_to(out, member.value(), depth + 1);
      separator = ",\n";
    }
    close('}');
  } else if (const auto* a = v.if_array(); a != nullptr && !a->empty()) {
    out += '[';
    const char* separator = "\n";
    for (const auto& item : *a) {
      out += separator + indent;
      pretty_to(out, item, depth + 1);
      separator = ",\n";
    }
    close(']');
  } else {
    out += boost::json::serialize(v);
  }
}

// Boost reads 1e400 as infinity, which it prints as a number that it does not read again. The
// recursion is as deep as the parser allowed.
bool all_finite(const value& v) {
  if (const auto* number = v.if_double()) return std::isfinite(*number);
  if (const auto* items = v.if_array()) {
    return std::all_of(items->begin(), items->end(), all_finite);
  }
  if (const auto* members = v.if_object()) {
    return std::all_of(members->begin(), members->end(),
                       [](const auto& member) { return all_finite(member.value()); });
  }
  return true;
}

}  // namespace

Result<value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepthMax;
  try {
    boost::json::stream_parser parser({}, options);
    boost::json::error_code error;
    const std::size_t read = parser.write_some(text, error);
    if (!error && read < text.size())
      error = boost::json::make_error_code(boost::json::error::extra_data);
    if (!error) parser.finish(error);
    if (error) {
      return Error{ErrorCode::invalid_argument,
                   "not valid JSON at byte " + std::to_string(read) + ": " + error.message(), ""};
    }
    value parsed = parser.release();
    if (!all_finite(parsed)) {
      return Error{ErrorCode::invalid_argument, "a number is too large for JSON to be exchanged",
                   ""};
    }
    return parsed;
  } catch (const std::exception& e) {
    return Error{ErrorCode::invalid_argument, std::string("not valid JSON: ") + e.what(), ""};
  }
}

std::string print(const value& v) {
  return boost::json::serialize(v);
}

std::string pretty(const value& v) {
  std::string out;
  pretty_to(out, v, 0);
  return out;
}

std::optional<bool> Tree::boolean() const {
  if (!value_->is_bool()) return std::nullopt;
  return value_->get_bool();
}

std::optional<std::int64_t> Tree::integer() const {
  if (!value_->is_int64()) return std::nullopt;
  return value_->get_int64();
}

std::optional<std::string_view> Tree::text() const {
  if (!value_->is_string()) return std::nullopt;
  return std::string_view(value_->get_string());
}

std::optional<TreeMembers> Tree::members() const {
  if (!value_->is_object()) return std::nullopt;
  return TreeMembers(value_->get_object());
}

std::optional<TreeItems> Tree::items() const {
  if (!value_->is_array()) return std::nullopt;
  return TreeItems(value_->get_array());
}

std::optional<Tree> TreeMembers::find(std::string_view name) const {
  const value* found = members_->if_contains(name);
  if (found == nullptr) return std::nullopt;
  return Tree(*found);
}

std::optional<std::pair<std::string_view, Tree>> TreeMembers::next() {
  if (at_ == members_->end()) return std::nullopt;
  const auto& member = *at_++;
  return std::pair{std::string_view(member.key()), Tree(member.value())};
}

std::optional<Tree> TreeItems::next() {
  if (at_ == end_) return std::nullopt;
  return Tree(*at_++);
}

std::string_view text_at(const object& o, std::string_view name) {
  const value* member = o.if_contains(name);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_string();
}

std::string pointer_to(std::string_view parent, std::string_view token) {
  std::string out(parent);
  out += '/';
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace sandtrail::json
