// SPDX-License-Identifier: Apache-2.0
#include "store/object_store.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail {

Status check_object_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= limits::kObjectNameBytesMax &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                    });
  if (good) return {};
  return Error{ErrorCode::invalid_argument, "an object's name is 1 to 128 of a-z, 0-9 and _", ""};
}

Status check_object_content(BytesView content) {
  if (content.size() <= limits::kObjectBytesMax) return {};
  return Error{ErrorCode::invalid_argument,
               "an object has at most " + std::to_string(limits::kObjectBytesMax) + " bytes", ""};
}

}  // namespace sandtrail
