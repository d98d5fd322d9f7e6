// SPDX-License-Identifier: Apache-2.0
// /v1/executions: asking for runs and seeing what became of them.
#pragma once

#include <optional>

#include "call.h"
#include "documents.h"
#include "domain/payloads.h"

namespace sandtrail::gateway {

// What a checked request asks for.
struct PreparedExecution {
  ExecutionInput input;
  ExecutionRequested event;  // without id, tokens and payload
};

std::optional<Problem> prepare_execution(Context& context, Call& call);
void create_execution(Context& context, const CallPtr& call, const PartitionView& view);
void get_execution(Context& context, const CallPtr& call, const PartitionView& view);
void list_executions(Context& context, const CallPtr& call, const PartitionView& view);
void cancel_execution(Context& context, const CallPtr& call, const PartitionView& view);
void stream_execution(Context& context, const CallPtr& call, const PartitionView& view);
void stream_output(Context& context, const CallPtr& call, const PartitionView& view);

// The execution of the call's organisation, or it answers 404.
std::optional<ExecutionDoc> own_execution(const Call& call, const PartitionView& view);

enum class AnswerAs {
  found,    // 200
  created,  // 202 with Location, or 200 once it is over and the caller chose to wait
};
// Answers with one execution, after waiting for its end as far as the request prefers that
// (Prefer: wait=N, RFC 7240). Any thread.
void respond_execution(Context& context, const CallPtr& call, const ExecutionId& id, AnswerAs as);
// The same, on the partition's thread.
void respond_execution(Context& context, const CallPtr& call, const ExecutionId& id, AnswerAs as,
                       const PartitionView& view);

}  // namespace sandtrail::gateway
