// SPDX-License-Identifier: Apache-2.0
// JSON Schema (2020-12) from the same description of fields that reads and writes them, so code and
// schema cannot part.
#pragma once

#include "codec/reflect.h"

namespace sandtrail {

namespace reflect {

template <typename T>
json::object schema_of();

class SchemaWriter {
 public:
  template <typename T>
  void operator()(std::string_view name, T&) {
    properties[name] = schema_of<T>();
    if (!may_be_absent<T>) required.push_back(json::value(name));
  }
  template <typename T>
  void with_default(std::string_view name, T& initial) {
    json::object schema = schema_of<T>();
    if constexpr (!is_optional<T> && !Described<T> && !is_vector<T> && !is_map<T>) {
      schema["default"] = write(initial);
    }
    properties[name] = std::move(schema);
  }
  json::object properties;
  json::array required;
};

json::object typed(std::string_view type);
json::object id_schema(std::string_view prefix);

template <typename T>
struct IdTagOf;
template <typename Tag>
struct IdTagOf<Id<Tag>> {
  using type = Tag;
};

template <typename T>
json::object schema_of() {
  if constexpr (is_optional<T>) {
    return schema_of<typename T::value_type>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return typed("boolean");
  } else if constexpr (std::is_enum_v<T>) {
    json::array names;
    for (const auto& [candidate, name] : EnumNames<T>::names) names.push_back(json::value(name));
    json::object out = typed("string");
    out["enum"] = std::move(names);
    return out;
  } else if constexpr (std::is_integral_v<T> || Counted<T>) {
    return typed("integer");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return typed("string");
  } else if constexpr (std::is_same_v<T, Blob>) {
    json::object out = typed("string");
    out["contentEncoding"] = "base64";
    return out;
  } else if constexpr (is_id<T>) {
    return id_schema(IdTagOf<T>::type::prefix);
  } else if constexpr (std::is_same_v<T, UnixMs>) {
    json::object out = typed("string");
    out["format"] = "date-time";
    return out;
  } else if constexpr (is_vector<T>) {
    json::object out = typed("array");
    out["items"] = schema_of<typename T::value_type>();
    return out;
  } else if constexpr (is_map<T>) {
    json::object out = typed("object");
    out["additionalProperties"] = schema_of<typename T::mapped_type>();
    return out;
  } else {
    SchemaWriter writer;
    T initial;
    T::fields(initial, writer);
    json::object out = typed("object");
    out["properties"] = std::move(writer.properties);
    if (!writer.required.empty()) out["required"] = std::move(writer.required);
    return out;
  }
}

}  // namespace reflect

// The schema of one described struct, without "$schema" and "$id".
template <typename T>
json::object json_schema() {
  return reflect::schema_of<T>();
}

}  // namespace sandtrail
