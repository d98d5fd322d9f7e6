// SPDX-License-Identifier: Apache-2.0
#include "roles.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace sandtrail {
namespace {

constexpr std::array<std::pair<ServerRole, std::string_view>, 6> kNames{
    {{ServerRole::gateway, "gateway"},
     {ServerRole::launcher, "launcher"},
     {ServerRole::billing, "billing"},
     {ServerRole::retention, "retention"},
     {ServerRole::webhooks, "webhooks"},
     {ServerRole::auditor, "auditor"}}};

}  // namespace

const RoleSet& all_roles() {
  static const RoleSet all = [] {
    RoleSet roles;
    for (const auto& [role, name] : kNames) roles.insert(role);
    return roles;
  }();
  return all;
}

std::string_view name_of(ServerRole role) {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const auto& row) { return row.first == role; });
  ST_ASSERT(found != kNames.end());
  return found->second;
}

std::optional<ServerRole> role_named(std::string_view verb) {
  for (const auto& [role, name] : kNames) {
    if (name == verb) return role;
  }
  return std::nullopt;
}

bool needs_keys(const RoleSet& roles) {
  return roles.contains(ServerRole::gateway) || roles.contains(ServerRole::launcher) ||
         roles.contains(ServerRole::retention) || roles.contains(ServerRole::webhooks);
}

}  // namespace sandtrail
