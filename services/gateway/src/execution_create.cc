// SPDX-License-Identifier: Apache-2.0
#include "domain/rating.h"
#include "executions.h"
#include "new_key.h"
#include "submit.h"

namespace sandtrail::gateway {
namespace {

const PayloadPurpose kInput{"input", ""};

// Everything on the way from an admitted request to its event.
struct Creation {
  Context& context;
  CallPtr call;
  TopicPartition home;
  DataKeyId org_key;
  std::optional<Problem> refusal;  // unless it is a replay
  std::optional<Idempotency> idempotency;

  PreparedExecution& prepared() { return std::any_cast<PreparedExecution&>(call->prepared); }
};
using CreationPtr = std::shared_ptr<Creation>;

// What the fold or the launcher would refuse later. Only the log's judgement counts; this spares
// the log what is hopeless, and answers in time.
std::optional<Problem> foresee(const CoreState& state, const OrgRow& org,
                               const ExecutionLimits& limits) {
  const RateCard* card = state.card(state.meta.rate_card);
  if (card == nullptr) {
    return Problem{"not_ready", "no rate card is adopted yet", {}, {{"Retry-After", "1"}}};
  }
  const MicroCredits needed = worst_case(*card, limits);
  if (needed > org.available()) {
    return Problem{"insufficient_credits",
                   "the worst case costs " + std::to_string(needed.count) + " microcredits, " +
                       std::to_string(org.available().count) + " are available",
                   {},
                   {}};
  }
  if (org.queued >= org.limits.queued_max) {
    return Problem{"queue_full",
                   std::to_string(org.queued) + " executions wait already",
                   {},
                   {{"Retry-After", "1"}}};
  }
  return std::nullopt;
}

void discard_key(Context& context, const DataKeyId& key) {
  context.executor([&context, key] {
    // Both are also found and repeated by the sweep for keys that nothing uses.
    static_cast<void>(context.payloads().remove_objects(key, {kInput}));
    context.keyring().destroy(key, [](const Status&) {});
  });
}

void propose_execution(const CreationPtr& creation, ExecutionRequested event) {
  Context& context = creation->context;
  const CallPtr call = creation->call;
  const ExecutionId id = event.execution;
  const DataKeyId key = event.payload.key;
  Proposal proposal = proposal_of(*call, id.text(), std::move(event));
  proposal.correlation = id.text();
  proposal.idempotency = creation->idempotency;
  call->prepared.reset();
  Submission submission;
  submission.applied = [&context, call, id](Position) {
    respond_execution(context, call, id, AnswerAs::created);
  };
  submission.replayed = [&context, call](const std::string& existing) {
    const auto first = ExecutionId::parse(existing);
    ST_ASSERT(first.has_value());
    respond_execution(context, call, *first, AnswerAs::created);
  };
  submission.explain = [](VoidReason reason) -> std::optional<Problem> {
    if (reason != VoidReason::limit_reached) return std::nullopt;
    return Problem{"queue_full", "too many executions wait", {}, {{"Retry-After", "1"}}};
  };
  submission.discard = [&context, key] { discard_key(context, key); };
  submit(context, call, creation->home, std::move(proposal), std::move(submission));
}

// The event with its payload sealed under a new key. Blocks for the ObjectStore.
Result<ExecutionRequested> seal_execution(Creation& creation, const DataKeyId& key) {
  Context& context = creation.context;
  PreparedExecution& prepared = creation.prepared();
  ExecutionRequested event = std::move(prepared.event);
  const ExecutionInput& input = prepared.input;
  if (!input.thread.empty()) {
    ST_ASSIGN(Bytes token, context.keyring().token(creation.org_key, "thread", input.thread));
    event.thread_token = Blob{std::move(token)};
  }
  for (const auto& [name, value] : input.metadata) {
    ST_ASSIGN(Bytes token,
              context.keyring().token(creation.org_key, "metadata", name + "=" + value));
    event.metadata_tokens.push_back({std::move(token)});
  }
  ST_ASSIGN(event.payload, context.payloads().seal_json(key, kInput, input));
  event.execution = ExecutionId::fresh(context.clock, context.random);
  return event;
}

void create_key_and_seal(const CreationPtr& creation) {
  with_new_key(creation->context, creation->call, creation->org_key,
               [creation](const DataKeyId& id) {
                 auto event = seal_execution(*creation, id);
                 if (event.ok()) return propose_execution(creation, std::move(event).value());
                 discard_key(creation->context, id);
                 respond(*creation->call, internal_problem(*creation->call, event.error()));
               });
}

// A repeat gets the first one's answer, whatever would be said of it now.
void unless_replay(const CreationPtr& creation, const PartitionView& view) {
  const Idempotency& asked = *creation->idempotency;
  const std::string row_key = Bytes(creation->call->org.view()) + asked.key_hmac.bytes;
  if (const IdempotencyRow* first = view.state().idempotency.find(row_key)) {
    if (first->body_hmac != asked.body_hmac) {
      return respond(*creation->call, problem_of(VoidReason::idempotency_conflict));
    }
    if (const auto id = ExecutionId::parse(first->subject)) {
      return respond_execution(creation->context, creation->call, *id, AnswerAs::created, view);
    }
  }
  if (creation->refusal) return respond(*creation->call, *creation->refusal);
  creation->context.executor([creation] { create_key_and_seal(creation); });
}

void begin(const CreationPtr& creation) {
  const CallPtr& call = creation->call;
  if (!call->idempotency_key) {
    if (creation->refusal) return respond(*call, *creation->refusal);
    return create_key_and_seal(creation);
  }
  auto tokens = idempotency_of(creation->context, *call, creation->org_key, *call->idempotency_key);
  if (!tokens.ok()) return respond(*call, internal_problem(*call, tokens.error()));
  creation->idempotency = std::move(tokens).value();
  query(creation->context, call, creation->home,
        [creation](const PartitionView& view) { unless_replay(creation, view); });
}

}  // namespace

void create_execution(Context& context, const CallPtr& call, const PartitionView& view) {
  const OrgRow& org = *view.state().orgs.find(call->org);
  const auto& prepared = std::any_cast<const PreparedExecution&>(call->prepared);
  const auto creation = std::make_shared<Creation>(
      Creation{context, call, view.where(), org.key,
               foresee(view.state(), org, prepared.event.limits), std::nullopt});
  context.executor([creation] { begin(creation); });
}

void cancel_execution(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto doc = own_execution(*call, view);
  if (!doc) return;
  const ExecutionId id = doc->id;
  // Asking twice is asking once.
  if (doc->cancel_requested) {
    return respond_execution(context, call, id, AnswerAs::created, view);
  }
  if (is_terminal(doc->status)) {
    return respond(*call, Problem{"wrong_state", "it has ended already", {}, {}});
  }
  Proposal proposal = proposal_of(*call, id.text(), ExecutionCancelRequested{id});
  proposal.correlation = id.text();
  Submission submission;
  submission.applied = [&context, call, id](Position) {
    respond_execution(context, call, id, AnswerAs::created);
  };
  submission.explain = [](VoidReason reason) -> std::optional<Problem> {
    if (reason != VoidReason::wrong_state) return std::nullopt;
    return Problem{"wrong_state", "it ended, or was cancelled, in the meantime", {}, {}};
  };
  submit(context, call, view.where(), std::move(proposal), std::move(submission));
}

}  // namespace sandtrail::gateway
