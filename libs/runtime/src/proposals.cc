// SPDX-License-Identifier: Apache-2.0
#include "proposals.h"

#include "base/limits.h"
#include "wire/event_codec.h"

namespace sandtrail {

Proposals::Proposals(TopicPartition where, EventLog& log, std::shared_ptr<Mailbox> mailbox,
                     Clock& clock, const SchemaVersions& versions)
    : where_(std::move(where)),
      log_(log),
      mailbox_(std::move(mailbox)),
      clock_(clock),
      versions_(versions) {}

void Proposals::propose(const Event& event, ProposalDone done) {
  const EventId id = event.id;
  const auto refuse = [&](Error error) {
    ProposalOutcome outcome;
    outcome.event = id;
    outcome.error = std::move(error);
    // With the partition gone there is no other thread left to tell it.
    if (!mailbox_->post([done, outcome] { done(outcome); })) done(outcome);
  };
  auto record = encode_event(event, versions_);
  if (!record.ok()) return refuse(record.error());
  std::optional<Error> refused;
  {
    // Registered before the append: the record may be folded before append() returns.
    const std::lock_guard lock(shared_->mutex);
    if (shared_->closed) {
      refused = shared_->closed;
    } else if (shared_->pending.size() >= limits::kPendingProposalsMax) {
      refused = Error{ErrorCode::overloaded, "too many requests wait for the log", ""};
    } else {
      shared_->pending.emplace(id, std::pair(std::move(done), clock_.monotonic_us()));
    }
  }
  if (refused) return refuse(std::move(*refused));
  log_.append(where_, std::move(record).value(),
              [shared = shared_, mailbox = mailbox_, id](const AppendOutcome& outcome) {
                // Committed: the fold will tell. Unknown: the fold may tell, else sweep() does.
                if (outcome.kind != AppendOutcome::Kind::not_committed) return;
                mailbox->post([shared, id, error = outcome.error] { fail(shared, id, error); });
              });
}

void Proposals::fail(const std::shared_ptr<Shared>& shared, const EventId& id, const Error& error) {
  ProposalDone done;
  {
    const std::lock_guard lock(shared->mutex);
    const auto found = shared->pending.find(id);
    if (found == shared->pending.end()) return;
    done = std::move(found->second.first);
    shared->pending.erase(found);
  }
  ProposalOutcome outcome;
  outcome.event = id;
  outcome.error = error;
  done(outcome);
}

void Proposals::complete(const std::vector<Folded>& batch) {
  for (const Folded& folded : batch) {
    // A repeat tells nothing: the first judgement of the id did.
    if (folded.event == nullptr || folded.judgement.reason == VoidReason::repeated) continue;
    ProposalDone done;
    {
      const std::lock_guard lock(shared_->mutex);
      const auto found = shared_->pending.find(folded.event->id);
      if (found == shared_->pending.end()) continue;
      done = std::move(found->second.first);
      shared_->pending.erase(found);
    }
    ProposalOutcome outcome;
    outcome.folded = true;
    outcome.judgement = folded.judgement;
    outcome.position = folded.position;
    outcome.event = folded.event->id;
    done(outcome);
  }
}

void Proposals::sweep() {
  const Millis longest{limits::kEventAgeMax.count + limits::kClockSkewMax.count};
  const std::int64_t oldest_us = clock_.monotonic_us() - longest.count * 1000;
  std::vector<EventId> dead;
  {
    const std::lock_guard lock(shared_->mutex);
    for (const auto& [id, entry] : shared_->pending) {
      if (entry.second < oldest_us) dead.push_back(id);
    }
  }
  for (const EventId& id : dead) {
    fail(shared_, id,
         Error{ErrorCode::unknown_outcome, "the log did not say in time whether it took the event",
               ""});
  }
}

void Proposals::close(const Error& error) {
  std::vector<EventId> all;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closed = error;
    for (const auto& [id, entry] : shared_->pending) all.push_back(id);
  }
  for (const EventId& id : all) fail(shared_, id, error);
}

}  // namespace sandtrail
