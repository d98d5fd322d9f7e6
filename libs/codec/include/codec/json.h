// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) over Boost.JSON. The only place that parses or prints it.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sandtrail::json {

using array = boost::json::array;
using object = boost::json::object;
using string = boost::json::string;
using value = boost::json::value;

// Strict: one value, UTF-8, at most limits::kJsonDepthMax deep, no trailing bytes, no number past
// the range of a double. Of a name that is given twice the last counts. The caller bounds the size.
// invalid_argument names the byte offset of a malformed text.
Result<value> parse(std::string_view text);

// Compact, in the order of insertion; the same value always gives the same bytes.
std::string print(const value& v);
// Indented by two spaces, for people.
std::string pretty(const value& v);

// A value as codec/reflect.h reads it; the same interface as json::Node. Refers to the value.
class TreeMembers;
class TreeItems;
class Tree {
 public:
  explicit Tree(const value& v) : value_(&v) {}
  bool is_null() const { return value_->is_null(); }
  bool is_number() const { return value_->is_number(); }
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<std::string_view> text() const;
  std::optional<TreeMembers> members() const;
  std::optional<TreeItems> items() const;

 private:
  const value* value_;
};

class TreeMembers {
 public:
  explicit TreeMembers(const object& members) : members_(&members), at_(members.begin()) {}
  std::optional<Tree> find(std::string_view name) const;
  std::optional<std::pair<std::string_view, Tree>> next();

 private:
  const object* members_;
  object::const_iterator at_;
};

class TreeItems {
 public:
  explicit TreeItems(const array& items) : at_(items.begin()), end_(items.end()) {}
  std::optional<Tree> next();

 private:
  array::const_iterator at_, end_;
};

// The member as text, or "" if it is absent or no string.
std::string_view text_at(const object& o, std::string_view name);

// Appends one reference token to a JSON pointer (RFC 6901): escapes ~ and /.
std::string pointer_to(std::string_view parent, std::string_view token);

}  // namespace sandtrail::json
