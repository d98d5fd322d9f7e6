// SPDX-License-Identifier: Apache-2.0
// What operators do, and what they see of the process.
#pragma once

#include "call.h"

namespace sandtrail::gateway {

std::optional<Problem> prepare_organization(Context& context, Call& call);
void create_organization(Context& context, const CallPtr& call);
void list_organizations(Context& context, const CallPtr& call);
void get_organization(Context& context, const CallPtr& call, const PartitionView& view);

std::optional<Problem> prepare_grant(Context& context, Call& call);
void create_grant(Context& context, const CallPtr& call, const PartitionView& view);
std::optional<Problem> prepare_limits(Context& context, Call& call);
void change_limits(Context& context, const CallPtr& call, const PartitionView& view);

void get_status(Context& context, const CallPtr& call);
void get_digests(Context& context, const CallPtr& call);
void list_effects(Context& context, const CallPtr& call);
std::optional<Problem> prepare_resolve(Context& context, Call& call);
void resolve_effect(Context& context, const CallPtr& call);

std::optional<Problem> prepare_trim(Context& context, Call& call);
void trim_log(Context& context, const CallPtr& call);

// The admin listener.
void get_livez(Context& context, const CallPtr& call);
void get_readyz(Context& context, const CallPtr& call);
void get_metrics(Context& context, const CallPtr& call);

}  // namespace sandtrail::gateway
