// SPDX-License-Identifier: Apache-2.0
#include "codec/reflect.h"

#include <algorithm>

namespace sandtrail::reflect {

void ReadContext::add(std::string pointer, std::string detail) {
  if (problems.size() < kProblemsMax) {
    problems.push_back({std::move(pointer), std::move(detail)});
  }
}

void Reader::refuse_unknown() {
  for (const auto& member : in_) {
    if (std::find(known_.begin(), known_.end(), std::string_view(member.key())) == known_.end()) {
      context_.add(json::pointer_to(at_, member.key()), "is not a known field");
    }
  }
}

std::optional<std::int64_t> read_integer(const json::value& in, const std::string& at,
                                         ReadContext& context) {
  if (in.is_int64()) return in.get_int64();
  context.add(at,
              in.is_number() ? "must be an integer in the range of 64 bits" : "must be an integer");
  return std::nullopt;
}

std::optional<std::string_view> read_text(const json::value& in, const std::string& at,
                                          ReadContext& context) {
  if (in.is_string()) return std::string_view(in.get_string());
  context.add(at, "must be a string");
  return std::nullopt;
}

const json::object* read_object(const json::value& in, const std::string& at,
                                ReadContext& context) {
  if (!in.is_object()) context.add(at, "must be an object");
  return in.if_object();
}

const json::array* read_array(const json::value& in, const std::string& at, ReadContext& context) {
  if (!in.is_array()) context.add(at, "must be an array");
  return in.if_array();
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string out = "must be one of";
  const char* separator = " ";
  for (const auto name : names) {
    out += separator;
    out += name;
    separator = ", ";
  }
  return out;
}

}  // namespace sandtrail::reflect
