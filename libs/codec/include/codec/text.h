// SPDX-License-Identifier: Apache-2.0
// Structs to JSON text without a tree between, for what a fold writes by the thousand: records and
// stored rows. The same bytes as json::print(to_json(in)).
#pragma once

#include <string>
#include <string_view>

#include "codec/reflect.h"

namespace sandtrail {
namespace reflect {

// Appends `text` in quotes; escapes what RFC 8259 section 7 wants escaped, and no more.
void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t number);

template <typename T>
void write_to(std::string& out, const T& in);

// Writes the members of one object; several structs may share it. close() ends it.
class TextWriter {
 public:
  explicit TextWriter(std::string& out) : out_(out) { out_ += '{'; }
  template <typename T>
  void operator()(std::string_view name, const T& member) {
    if constexpr (is_optional<T>) {
      if (member) write_member(name, *member);
    } else if constexpr (is_vector<T> || is_map<T>) {
      if (!member.empty()) write_member(name, member);
    } else {
      write_member(name, member);
    }
  }
  template <typename T>
  void with_default(std::string_view name, const T& member) {
    (*this)(name, member);
  }
  void close() { out_ += '}'; }

 private:
  // Names of members are our own and need no escapes.
  template <typename T>
  void write_member(std::string_view name, const T& member) {
    out_ += first_ ? "\"" : ",\"";
    first_ = false;
    out_ += name;
    out_ += "\":";
    write_to(out_, member);
  }

  std::string& out_;
  bool first_ = true;
};

template <typename T>
void write_to(std::string& out, const T& in) {
  if constexpr (std::is_same_v<T, bool>) {
    out += in ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    write_string(out, enum_text(in));
  } else if constexpr (std::is_integral_v<T>) {
    write_integer(out, static_cast<std::int64_t>(in));
  } else if constexpr (std::is_same_v<T, std::string>) {
    write_string(out, in);
  } else if constexpr (std::is_same_v<T, Blob>) {
    out += '"';
    append_base64(out, in.bytes);
    out += '"';
  } else if constexpr (is_id<T>) {
    out += '"';
    in.append_to(out);
    out += '"';
  } else if constexpr (std::is_same_v<T, UnixMs>) {
    out += '"';
    append_rfc3339(out, in);
    out += '"';
  } else if constexpr (Counted<T>) {
    write_integer(out, in.count);
  } else if constexpr (is_vector<T>) {
    const char* separator = "[";
    for (const auto& item : in) {
      out += separator;
      separator = ",";
      write_to(out, item);
    }
    out += in.empty() ? "[]" : "]";
  } else if constexpr (is_map<T>) {
    const char* separator = "{";
    for (const auto& [name, item] : in) {
      out += separator;
      separator = ",";
      write_string(out, name);
      out += ':';
      write_to(out, item);
    }
    out += in.empty() ? "{}" : "}";
  } else {
    TextWriter writer(out);
    T::fields(in, writer);
    writer.close();
  }
}

}  // namespace reflect

template <typename T>
std::string to_text(const T& in) {
  std::string out;
  reflect::write_to(out, in);
  return out;
}

}  // namespace sandtrail
