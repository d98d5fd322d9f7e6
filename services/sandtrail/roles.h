// SPDX-License-Identifier: Apache-2.0
// Which roles one process runs.
#pragma once

#include <optional>
#include <set>
#include <string_view>

namespace sandtrail {

enum class ServerRole { gateway, launcher, billing, retention, webhooks, auditor };
using RoleSet = std::set<ServerRole>;

const RoleSet& all_roles();
std::string_view name_of(ServerRole role);
// The role of that verb.
std::optional<ServerRole> role_named(std::string_view verb);

// Who opens payloads, and so needs the root key and the stores of keys and objects.
bool needs_keys(const RoleSet& roles);

}  // namespace sandtrail
