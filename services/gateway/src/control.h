// SPDX-License-Identifier: Apache-2.0
// What an organisation sets up: API keys, webhook endpoints; and what it can look up: deliveries,
// credits, audit entries, languages.
#pragma once

#include "call.h"

namespace sandtrail::gateway {

std::optional<Problem> prepare_api_key(Context& context, Call& call);
void create_api_key(Context& context, const CallPtr& call, const PartitionView& view);
void list_api_keys(Context& context, const CallPtr& call, const PartitionView& view);
void delete_api_key(Context& context, const CallPtr& call, const PartitionView& view);

std::optional<Problem> prepare_endpoint(Context& context, Call& call);
void create_endpoint(Context& context, const CallPtr& call, const PartitionView& view);
void list_endpoints(Context& context, const CallPtr& call, const PartitionView& view);
void get_endpoint(Context& context, const CallPtr& call, const PartitionView& view);
void delete_endpoint(Context& context, const CallPtr& call, const PartitionView& view);

void list_endpoint_deliveries(Context& context, const CallPtr& call, const PartitionView& view);
void list_execution_deliveries(Context& context, const CallPtr& call, const PartitionView& view);
void get_delivery(Context& context, const CallPtr& call, const PartitionView& view);

void get_balance(Context& context, const CallPtr& call, const PartitionView& view);
void list_ledger(Context& context, const CallPtr& call, const PartitionView& view);

void list_audit_entries(Context& context, const CallPtr& call, const PartitionView& view);
void get_checkpoint(Context& context, const CallPtr& call, const PartitionView& view);

void list_languages(Context& context, const CallPtr& call, const PartitionView& view);

}  // namespace sandtrail::gateway
