// SPDX-License-Identifier: Apache-2.0
#include "codec/schema.h"

namespace sandtrail::reflect {

json::object typed(std::string_view type) {
  json::object out;
  out["type"] = json::value(type);
  return out;
}

json::object id_schema(std::string_view prefix) {
  json::object out = typed("string");
  const std::string pattern = "^" + std::string(prefix) + "[0-7][0-9a-hjkmnp-tv-z]{25}$";
  out["pattern"] = json::value(std::string_view(pattern));
  return out;
}

}  // namespace sandtrail::reflect
