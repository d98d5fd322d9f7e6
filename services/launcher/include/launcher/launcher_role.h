// SPDX-License-Identifier: Apache-2.0
// The launcher role: admits executions, holds credits, places them on hosts, and gives each exactly
// one end, whatever dies.
#pragma once

#include <memory>

#include "base/worker_pool.h"
#include "launcher/hosts.h"
#include "runtime/role.h"
#include "sealing/payload.h"

namespace sandtrail {

// Rows "execution id -> the request's language and sealed input" while it may have to be launched.
std::unique_ptr<Projection> make_launcher_projection();
inline constexpr std::string_view kLauncherProjection = "launcher";

// Everything given must outlive the role. `executor` takes work that blocks on stores.
std::unique_ptr<Role> make_launcher_role(Hosts& hosts, Payloads& payloads, Executor executor);

}  // namespace sandtrail
