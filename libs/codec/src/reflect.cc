// SPDX-License-Identifier: Apache-2.0
#include "codec/reflect.h"

namespace sandtrail {
namespace reflect {

std::string At::pointer() const {
  if (parent_ == nullptr) return std::string(name_);
  return json::pointer_to(parent_->pointer(), item_ ? std::to_string(*item_) : name_);
}

void ReadContext::add(const At& at, std::string detail) {
  if (problems.size() < kProblemsMax) problems.push_back({at.pointer(), std::move(detail)});
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

}  // namespace reflect

Error unreadable(const reflect::ReadContext& context) {
  const reflect::Problem& first = context.problems.front();
  return {ErrorCode::corrupt, first.pointer + " " + first.detail, ""};
}

}  // namespace sandtrail
