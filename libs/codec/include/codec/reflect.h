// SPDX-License-Identifier: Apache-2.0
// Structs to JSON and back from one description of their fields.
//
// A struct describes itself once:
//
//   struct Usage {
//     std::int64_t wall_us = 0;
//     std::optional<int> signal;
//     template <typename Self, typename V>
//     static void fields(Self& s, V& v) { v("wall_us", s.wall_us); v("signal", s.signal); }
//   };
//
// Shapes: integers, bool, std::string (UTF-8 text), Blob (base64), ids (text form), UnixMs
// (RFC 3339 text), Millis and other counts (integer), enums with EnumNames (text), std::optional
// (absent when empty), std::vector (array), std::map<std::string, T> (object), described structs
// (object). Optional, vector, map and `bool` members, and members read with v.with_default, may be
// absent; all others are required.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "codec/blob.h"
#include "codec/json.h"
#include "codec/node.h"

namespace sandtrail {

// Specialise for an enum: static constexpr std::array<std::pair<E, std::string_view>, N> names.
template <typename E>
struct EnumNames;

template <typename E>
std::string_view enum_text(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::names) {
    if (candidate == value) return name;
  }
  ST_ASSERT(false && "enum value without a name");
}

template <typename E>
std::optional<E> enum_from(std::string_view text) {
  for (const auto& [candidate, name] : EnumNames<E>::names) {
    if (name == text) return candidate;
  }
  return std::nullopt;
}

namespace reflect {

// One thing wrong with an input, located by JSON pointer ("" is the whole document).
struct Problem {
  std::string pointer;
  std::string detail;
};

enum class Unknown { refuse, ignore };

// Where a value stands: a pointer, or a chain up to the whole document, put into words for a
// problem only. Refers to its names.
class At {
 public:
  At(std::string_view root) : name_(root) {}
  At(const char* root) : name_(root) {}
  At(const std::string& root) : name_(root) {}
  At(const At& parent, std::string_view member) : parent_(&parent), name_(member) {}
  At(const At& parent, std::size_t item) : parent_(&parent), item_(item) {}
  std::string pointer() const;

 private:
  const At* parent_ = nullptr;
  std::string_view name_;
  std::optional<std::size_t> item_;
};

struct ReadContext {
  Unknown unknown = Unknown::refuse;
  std::vector<Problem> problems;  // all of them, so that a caller can mend them at once

  void add(const At& at, std::string detail);
};

inline constexpr std::size_t kProblemsMax = 32;

template <typename T>
concept Described = requires(T& t, int& v) {
  &T::template fields<T, int>;
};

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <typename T>
inline constexpr bool is_vector = false;
template <typename T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <typename T>
inline constexpr bool is_map = false;
template <typename T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <typename T>
inline constexpr bool is_id = false;
template <typename Tag>
inline constexpr bool is_id<Id<Tag>> = true;

// A span or an amount: one integer named `count`, its unit in the type's name. In JSON the integer.
// A described struct that has a member of that name is an object like any other.
template <typename T>
concept Counted =
    std::is_class_v<T> && !std::is_same_v<T, UnixMs> && !Described<T> && requires(T & t) {
  { t.count } -> std::same_as<std::int64_t&>;
};

// May be absent in the input.
template <typename T>
inline constexpr bool may_be_absent =
    is_optional<T> || is_vector<T> || is_map<T> || std::is_same_v<T, bool>;

template <typename T>
json::value write(const T& in);
// `In` is json::Node or json::Tree.
template <typename In, typename T>
void read(const In& in, const At& at, T& out, ReadContext& context);

class Writer {
 public:
  template <typename T>
  void operator()(std::string_view name, const T& member) {
    if constexpr (is_optional<T>) {
      if (member) out[name] = write(*member);
    } else if constexpr (is_vector<T> || is_map<T>) {
      if (!member.empty()) out[name] = write(member);
    } else {
      out[name] = write(member);
    }
  }
  template <typename T>
  void with_default(std::string_view name, const T& member) {
    (*this)(name, member);
  }
  json::object out;
};

template <typename In>
class Reader {
 public:
  using MembersOf = typename decltype(std::declval<const In&>().members())::value_type;

  Reader(MembersOf members, const At& at, ReadContext& context)
      : members_(members), at_(at), context_(context) {}

  template <typename T>
  void operator()(std::string_view name, T& member) {
    member_named(name, member, may_be_absent<T>);
  }
  // The member's value on entry stands if the input has none.
  template <typename T>
  void with_default(std::string_view name, T& member) {
    member_named(name, member, true);
  }
  // The members of `all` that were not asked for.
  void refuse_unknown(MembersOf all) {
    while (const auto member = all.next()) {
      if (std::find(known_.begin(), known_.end(), member->first) != known_.end()) continue;
      context_.add(At(at_, member->first), "is not a known field");
    }
  }

 private:
  template <typename T>
  void member_named(std::string_view name, T& member, bool absent_is_fine) {
    if (context_.unknown == Unknown::refuse) known_.push_back(name);
    const auto found = members_.find(name);
    const At at(at_, name);
    if (!found || (absent_is_fine && found->is_null())) {
      if (!absent_is_fine) context_.add(at, "is required");
      return;
    }
    read(*found, at, member, context_);
  }

  MembersOf members_;
  const At& at_;
  ReadContext& context_;
  std::vector<std::string_view> known_;
};

template <typename T>
json::value write(const T& in) {
  if constexpr (std::is_same_v<T, bool>) {
    return in;
  } else if constexpr (std::is_enum_v<T>) {
    return json::value(enum_text(in));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(in);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return json::value(std::string_view(in));
  } else if constexpr (std::is_same_v<T, Blob>) {
    return json::value(std::string_view(base64(in.bytes)));
  } else if constexpr (is_id<T>) {
    return json::value(std::string_view(in.text()));
  } else if constexpr (std::is_same_v<T, UnixMs>) {
    return json::value(std::string_view(rfc3339(in)));
  } else if constexpr (Counted<T>) {
    return in.count;
  } else if constexpr (is_vector<T>) {
    json::array out;
    out.reserve(in.size());
    for (const auto& item : in) out.push_back(write(item));
    return out;
  } else if constexpr (is_map<T>) {
    json::object out;
    for (const auto& [name, item] : in) out[name] = write(item);
    return out;
  } else {
    Writer writer;
    T::fields(in, writer);
    return std::move(writer.out);
  }
}

std::string one_of(const std::vector<std::string_view>& names);

template <typename E>
void read_enum(std::string_view text, const At& at, E& out, ReadContext& context) {
  if (const auto value = enum_from<E>(text)) {
    out = *value;
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& [candidate, name] : EnumNames<E>::names) names.push_back(name);
  context.add(at, one_of(names));
}

template <typename In, typename T>
void read_integer(const In& in, const At& at, T& out, ReadContext& context) {
  const auto number = in.integer();
  if (!number) {
    context.add(
        at, in.is_number() ? "must be an integer in the range of 64 bits" : "must be an integer");
  } else if constexpr (Counted<T>) {
    out.count = *number;
  } else if (!std::in_range<T>(*number)) {
    context.add(at, "is out of range");
  } else {
    out = static_cast<T>(*number);
  }
}

template <typename In, typename T>
void read_items(const In& in, const At& at, std::vector<T>& out, ReadContext& context) {
  auto items = in.items();
  if (!items) return context.add(at, "must be an array");
  out.clear();
  std::size_t index = 0;
  while (const auto item = items->next()) {
    if (context.problems.size() >= kProblemsMax) return;
    read(*item, At(at, index++), out.emplace_back(), context);
  }
}

template <typename In, typename T>
void read_map(const In& in, const At& at, std::map<std::string, T>& out, ReadContext& context) {
  auto members = in.members();
  if (!members) return context.add(at, "must be an object");
  out.clear();
  while (const auto member = members->next()) {
    read(member->second, At(at, member->first), out[std::string(member->first)], context);
  }
}

template <typename In, typename T>
void read_described(const In& in, const At& at, T& out, ReadContext& context) {
  auto members = in.members();
  if (!members) return context.add(at, "must be an object");
  Reader<In> reader(*members, at, context);
  T::fields(out, reader);
  if (context.unknown == Unknown::refuse) reader.refuse_unknown(*members);
}

// Everything whose JSON is a string.
template <typename T>
void read_text(std::string_view text, const At& at, T& out, ReadContext& context) {
  if constexpr (std::is_enum_v<T>) {
    read_enum(text, at, out, context);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out = text;
  } else if constexpr (std::is_same_v<T, Blob>) {
    auto bytes = unbase64(text);
    if (!bytes) return context.add(at, "must be base64");
    out.bytes = std::move(*bytes);
  } else if constexpr (is_id<T>) {
    const auto id = T::parse(text);
    if (!id) return context.add(at, "is not an id of the right kind");
    out = *id;
  } else {
    static_assert(std::is_same_v<T, UnixMs>);
    const auto time = parse_rfc3339(text);
    if (!time) return context.add(at, "must be an RFC 3339 time in UTC");
    out = *time;
  }
}

template <typename In, typename T>
void read(const In& in, const At& at, T& out, ReadContext& context) {
  if constexpr (is_optional<T>) {
    read(in, at, out.emplace(), context);
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto flag = in.boolean();
    if (!flag) return context.add(at, "must be true or false");
    out = *flag;
  } else if constexpr (std::is_integral_v<T> || Counted<T>) {
    read_integer(in, at, out, context);
  } else if constexpr (is_vector<T>) {
    read_items(in, at, out, context);
  } else if constexpr (is_map<T>) {
    read_map(in, at, out, context);
  } else if constexpr (Described<T>) {
    read_described(in, at, out, context);
  } else {
    const auto text = in.text();
    if (!text) return context.add(at, "must be a string");
    read_text(*text, at, out, context);
  }
}
}  // namespace reflect

template <typename T>
json::value to_json(const T& in) {
  return reflect::write(in);
}

// The first problem, as an Error that a stored text cannot be read.
Error unreadable(const reflect::ReadContext& context);

namespace reflect {
template <typename T, typename In>
Result<T> read_leniently(const In& in) {
  ReadContext context{Unknown::ignore, {}};
  T out;
  read(in, "", out, context);
  if (!context.problems.empty()) return unreadable(context);
  return out;
}
}  // namespace reflect

// Reads a struct; unknown members are ignored (later versions only add). For stored data.
template <typename T>
Result<T> from_json(const json::value& in) {
  return reflect::read_leniently<T>(json::Tree(in));
}
template <typename T>
Result<T> from_node(const json::Node& in) {
  return reflect::read_leniently<T>(in);
}
// The same from text that is no secret: the parser keeps a copy until its thread reads again.
template <typename T>
Result<T> from_text(std::string_view text) {
  Result<T> out = Error{ErrorCode::internal, "not read", ""};
  ST_CHECK_OK(json::scan(text, [&out](const json::Node& root) { out = from_node<T>(root); }));
  return out;
}

}  // namespace sandtrail
