// SPDX-License-Identifier: Apache-2.0
#include "submit.h"

#include "base/limits.h"
#include "log_away.h"
#include "obs/log.h"
#include "routes.h"

namespace sandtrail::gateway {
namespace {

// True if nothing of it can be in the log, now or later.
bool never_happened(const ProposalOutcome& outcome) {
  if (outcome.folded) return true;
  return outcome.error.code == ErrorCode::overloaded ||
         outcome.error.code == ErrorCode::disk_full || outcome.error.code == ErrorCode::denied ||
         outcome.error.code == ErrorCode::invalid_argument;
}

void answer_failure(const Call& call, const Submission& submission,
                    const ProposalOutcome& outcome) {
  if (!outcome.folded) {
    if (outcome.error.code == ErrorCode::denied) return respond(call, refused(outcome.error));
    const Problem problem = problem_of(outcome.error);
    if (problem.code == "internal") {
      log_error("the log did not take a request",
                {{"request_id", call.request_id}, {"error", outcome.error}});
    }
    return respond(call, problem);
  }
  const VoidReason reason = outcome.judgement.reason;
  if (submission.explain) {
    if (const auto problem = submission.explain(reason)) return respond(call, *problem);
  }
  respond(call, problem_of(reason));
}

}  // namespace

Proposal proposal_of(const Call& call, std::string subject, EventBody body) {
  Proposal proposal;
  proposal.org = call.org;
  proposal.subject = std::move(subject);
  proposal.traceparent = call.traceparent;
  proposal.actor = call.actor;
  proposal.request_id = call.request_id;
  proposal.body = std::move(body);
  return proposal;
}

void submit(Context& context, const CallPtr& call, const TopicPartition& where, Proposal proposal,
            Submission submission) {
  if (const auto problem = away_problem(context, context.runtime.away(where))) {
    if (submission.discard) submission.discard();
    return respond(*call, *problem);
  }
  const auto timer = context.timers.after(context.options.outcome_wait, [call] {
    respond(*call,
            problem_of(Error{ErrorCode::unknown_outcome,
                             "the log has not said in time whether it took the request", ""}));
  });
  context.runtime.propose(
      where, std::move(proposal),
      [&context, call, timer, submission = std::move(submission)](const ProposalOutcome& outcome) {
        context.timers.cancel(timer);
        if (outcome.applied()) return submission.applied(outcome.position);
        if (submission.discard && never_happened(outcome)) submission.discard();
        if (outcome.folded && outcome.judgement.reason == VoidReason::idempotent_replay) {
          return submission.replayed(outcome.judgement.existing);
        }
        answer_failure(*call, submission, outcome);
      });
}

std::optional<Problem> read_idempotency_key(Call& call) {
  const auto field = call.request.fields.get("Idempotency-Key");
  if (!field) return std::nullopt;
  const auto malformed = [] {
    return invalid_parameter("Idempotency-Key",
                             "must be 1 to " + std::to_string(limits::kIdempotencyKeyBytesMax) +
                                 " printable characters, best as a quoted string");
  };
  std::string value;
  if (field->starts_with('"')) {
    // A string of structured fields (RFC 8941 section 3.3.3).
    if (field->size() < 2 || !field->ends_with('"')) return malformed();
    const std::string_view inside = field->substr(1, field->size() - 2);
    for (std::size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] == '"') return malformed();
      if (inside[i] == '\\' && (++i == inside.size() || (inside[i] != '"' && inside[i] != '\\'))) {
        return malformed();
      }
      value += inside[i];
    }
  } else {
    value = *field;
  }
  if (value.empty() || value.size() > limits::kIdempotencyKeyBytesMax) return malformed();
  call.idempotency_key = std::move(value);
  return std::nullopt;
}

Result<Idempotency> idempotency_of(Context& context, const Call& call, const DataKeyId& org_key,
                                   const std::string& key) {
  Idempotency out;
  const Bytes scope = std::string(call.route->method) + std::string(call.route->path) + "\n" + key;
  ST_ASSIGN(out.key_hmac.bytes, context.keyring().token(org_key, "idempotency", scope));
  ST_ASSIGN(out.body_hmac.bytes,
            context.keyring().token(org_key, "idempotency-body", call.body_digest));
  return out;
}

Problem internal_problem(const Call& call, const Error& error) {
  // Nobody may know what became of a key or an object: the request itself was not even proposed.
  if (error.code == ErrorCode::unknown_outcome || error.code == ErrorCode::timeout) {
    return problem_of(Error{ErrorCode::unavailable, "nothing was done: " + error.message, ""});
  }
  if (error.retryable()) return problem_of(error);
  log_error("a request failed", {{"request_id", call.request_id}, {"error", error}});
  return problem_of(Error{ErrorCode::internal, "", ""});
}

void submit_idempotent(Context& context, const CallPtr& call, const TopicPartition& where,
                       const DataKeyId& org_key, Proposal proposal, Submission submission) {
  if (call->idempotency_key) {
    auto idempotency = idempotency_of(context, *call, org_key, *call->idempotency_key);
    if (!idempotency.ok()) return respond(*call, internal_problem(*call, idempotency.error()));
    proposal.idempotency = std::move(idempotency).value();
  }
  submit(context, call, where, std::move(proposal), std::move(submission));
}

}  // namespace sandtrail::gateway
