// SPDX-License-Identifier: Apache-2.0
// What a small JSON file of the data directory holds.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"
#include "codec/reflect.h"

namespace sandtrail {

// `text` is what was read of `path`. Corrupt, naming the path, if it is no T; `hint` says what
// then.
template <typename T>
Result<T> parse_json_file(const std::string& path, std::string_view text, const std::string& hint) {
  const auto parsed = json::parse(text);
  auto content = parsed.ok() ? from_json<T>(*parsed) : Result<T>(parsed.error());
  if (content.ok()) return content;
  return Error{ErrorCode::corrupt, path + ": " + content.error().message, hint};
}

}  // namespace sandtrail
