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

struct ReadContext {
  Unknown unknown = Unknown::refuse;
  std::vector<Problem> problems;  // all of them, so that a caller can mend them at once

  void add(std::string pointer, std::string detail);
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
template <typename T>
void read(const json::value& in, const std::string& at, T& out, ReadContext& context);

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

class Reader {
 public:
  Reader(const json::object& in, const std::string& at, ReadContext& context)
      : in_(in), at_(at), context_(context) {}

  template <typename T>
  void operator()(std::string_view name, T& member) {
    member_named(name, member, may_be_absent<T>);
  }
  // The member's value on entry stands if the input has none.
  template <typename T>
  void with_default(std::string_view name, T& member) {
    member_named(name, member, true);
  }
  void refuse_unknown();

 private:
  template <typename T>
  void member_named(std::string_view name, T& member, bool absent_is_fine) {
    known_.push_back(name);
    const json::value* found = in_.if_contains(name);
    if (found == nullptr || (found->is_null() && absent_is_fine)) {
      if (!absent_is_fine) context_.add(json::pointer_to(at_, name), "is required");
      return;
    }
    read(*found, json::pointer_to(at_, name), member, context_);
  }

  const json::object& in_;
  const std::string& at_;
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

std::optional<std::int64_t> read_integer(const json::value& in, const std::string& at,
                                         ReadContext& context);
std::optional<std::string_view> read_text(const json::value& in, const std::string& at,
                                          ReadContext& context);
const json::object* read_object(const json::value& in, const std::string& at, ReadContext& context);
const json::array* read_array(const json::value& in, const std::string& at, ReadContext& context);
std::string one_of(const std::vector<std::string_view>& names);

template <typename E>
void read_enum(std::string_view text, const std::string& at, E& out, ReadContext& context) {
  if (const auto value = enum_from<E>(text)) {
    out = *value;
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& [candidate, name] : EnumNames<E>::names) names.push_back(name);
  context.add(at, one_of(names));
}

template <typename T>
void read(const json::value& in, const std::string& at, T& out, ReadContext& context) {
  if constexpr (is_optional<T>) {
    out.emplace();
    read(in, at, *out, context);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (in.is_bool()) {
      out = in.get_bool();
    } else {
      context.add(at, "must be true or false");
    }
  } else if constexpr (std::is_integral_v<T> || Counted<T>) {
    if (const auto number = read_integer(in, at, context)) {
      if constexpr (Counted<T>) {
        out.count = *number;
      } else if (!std::in_range<T>(*number)) {
        context.add(at, "is out of range");
      } else {
        out = static_cast<T>(*number);
      }
    }
  } else if constexpr (is_vector<T>) {
    if (const auto* items = read_array(in, at, context)) {
      out.clear();
      for (std::size_t i = 0; i < items->size() && context.problems.size() < kProblemsMax; ++i) {
        read((*items)[i], json::pointer_to(at, std::to_string(i)), out.emplace_back(), context);
      }
    }
  } else if constexpr (is_map<T>) {
    if (const auto* members = read_object(in, at, context)) {
      out.clear();
      for (const auto& member : *members) {
        const std::string name(member.key());
        read(member.value(), json::pointer_to(at, name), out[name], context);
      }
    }
  } else if constexpr (Described<T>) {
    if (const auto* members = read_object(in, at, context)) {
      Reader reader(*members, at, context);
      T::fields(out, reader);
      if (context.unknown == Unknown::refuse) reader.refuse_unknown();
    }
  } else if (const auto text = read_text(in, at, context)) {
    if constexpr (std::is_enum_v<T>) {
      read_enum(*text, at, out, context);
    } else if constexpr (std::is_same_v<T, std::string>) {
      out = *text;
    } else if constexpr (std::is_same_v<T, Blob>) {
      if (auto bytes = unbase64(*text)) {
        out.bytes = std::move(*bytes);
      } else {
        context.add(at, "must be base64");
      }
    } else if constexpr (is_id<T>) {
      if (const auto id = T::parse(*text)) {
        out = *id;
      } else {
        context.add(at, "is not an id of the right kind");
      }
    } else {
      static_assert(std::is_same_v<T, UnixMs>);
      if (const auto time = parse_rfc3339(*text)) {
        out = *time;
      } else {
        context.add(at, "must be an RFC 3339 time in UTC");
      }
    }
  }
}

}  // namespace reflect

template <typename T>
json::value to_json(const T& in) {
  return reflect::write(in);
}

// Reads a struct; unknown members are ignored (later versions only add). For stored data.
template <typename T>
Result<T> from_json(const json::value& in) {
  reflect::ReadContext context{reflect::Unknown::ignore, {}};
  T out;
  reflect::read(in, "", out, context);
  if (context.problems.empty()) return out;
  const auto& first = context.problems.front();
  return Error{ErrorCode::corrupt, first.pointer + " " + first.detail, ""};
}

}  // namespace sandtrail
