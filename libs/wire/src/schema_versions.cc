// SPDX-License-Identifier: Apache-2.0
#include "wire/schema_versions.h"

#include <algorithm>

namespace sandtrail {

SchemaVersions::SchemaVersions(const std::vector<Upcaster>& steps) {
  for (const Upcaster& step : steps) {
    std::vector<Step>& known = steps_[std::string(step.type)];
    ST_ASSERT(step.from == static_cast<std::int64_t>(known.size()) + 1);
    known.push_back(step.upcast);
  }
}

std::int64_t SchemaVersions::current(std::string_view type) const {
  const auto found = steps_.find(type);
  return found == steps_.end() ? 1 : static_cast<std::int64_t>(found->second.size()) + 1;
}

bool SchemaVersions::upcast(std::string_view type, std::int64_t version, json::object& data) const {
  const auto found = steps_.find(type);
  if (found == steps_.end()) return true;
  const std::vector<Step>& steps = found->second;
  const auto newest = static_cast<std::int64_t>(steps.size()) + 1;
  for (std::int64_t from = std::max<std::int64_t>(version, 1); from < newest; ++from) {
    if (!steps[static_cast<std::size_t>(from - 1)](data)) return false;
  }
  return true;
}

const SchemaVersions& shipped_versions() {
  // No type has had a second version yet. Whoever gives it one adds the step here; its golden
  // record is kept beside the new one (test/unit/wire/documents_test.cc).
  static const SchemaVersions versions({});
  return versions;
}

}  // namespace sandtrail
