// SPDX-License-Identifier: Apache-2.0
// From a request to a judged event: what every change goes through.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "call.h"

namespace sandtrail::gateway {

// What is to be appended, with what the call says about it: organisation, actor, request id, trace.
Proposal proposal_of(const Call& call, std::string subject, EventBody body);

struct Submission {
  // On the partition's thread, once the event is folded as applied.
  std::function<void(Position)> applied;
  // The same request was applied before; it made `existing`.
  std::function<void(const std::string& existing)> replayed;
  // It is void, and this says so better than the reason alone; nullopt: it does not.
  std::function<std::optional<Problem>(VoidReason)> explain;
  // It was not done and never will be; also after a replay.
  std::function<void()> discard;
};

// Proposes, and answers with a problem unless it was applied or replayed. Past
// GatewayOptions::outcome_wait the answer is 504, whatever comes later.
void submit(Context& context, const CallPtr& call, const TopicPartition& where, Proposal proposal,
            Submission submission);

// --- Idempotency-Key ---

// Sets Call::idempotency_key, without quotes, if the request has one.
std::optional<Problem> read_idempotency_key(Call& call);

// Tokens under the organisation's key. May block.
Result<Idempotency> idempotency_of(Context& context, const Call& call, const DataKeyId& org_key,
                                   const std::string& key);

// Something of ours failed that the caller has no part in.
Problem internal_problem(const Call& call, const Error& error);

// Gives the proposal the request's Idempotency-Key, if it has one, then submits it. On the
// executor; may block.
void submit_idempotent(Context& context, const CallPtr& call, const TopicPartition& where,
                       const DataKeyId& org_key, Proposal proposal, Submission submission);

}  // namespace sandtrail::gateway
