// SPDX-License-Identifier: Apache-2.0
// Versions of event types, and how older data is read by newer code.
//
// The header ce_schemaversion says which version of its type wrote a record. A newer version only
// adds members. So there are two directions:
//   older data, newer code  one upcaster for each step brings the data to the form of today
//   newer data, older code  it is read as far as it is known; unknown members are ignored
// Neither makes a record void or stops a partition, or old and new code would hold two truths. What
// a fold makes of a new member depends on the number of rules in force (rules.activated), and old
// code stops at a number that it does not know.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace sandtrail {

// One step: data of `type` as version `from` wrote it becomes data of version from + 1. Pure. False
// if it is not what that version wrote; the record is malformed then.
struct Upcaster {
  std::string_view type;
  std::int64_t from = 1;
  std::function<bool(json::object& data)> upcast;
};

// Immutable, so thread-safe.
class SchemaVersions {
 public:
  // The steps of a type in order, from version 1 on, without a gap (asserted). A type without steps
  // is at version 1.
  explicit SchemaVersions(const std::vector<Upcaster>& steps);

  // What this code writes.
  std::int64_t current(std::string_view type) const;
  // Brings data of `version` to the current one; that of a newer one stays as it is. A version
  // below 1 counts as 1.
  bool upcast(std::string_view type, std::int64_t version, json::object& data) const;

 private:
  using Step = std::function<bool(json::object&)>;
  std::map<std::string, std::vector<Step>, std::less<>> steps_;  // [0] is from version 1
};

// Of the types of this release.
const SchemaVersions& shipped_versions();

}  // namespace sandtrail
