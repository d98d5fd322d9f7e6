// SPDX-License-Identifier: Apache-2.0
#include "sequencer.h"

#include <algorithm>

#include "codec/text.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr std::size_t kInFlightMax = 64;
constexpr Millis kAfterTrouble = {200};
constexpr Millis kAcknowledgeEvery = seconds(30);

Bytes key_of(std::int64_t position) {
  Bytes key;
  put_be64(key, static_cast<std::uint64_t>(position));
  return key;
}

}  // namespace

Sequencer::Sequencer(RoleContext& context, AuditWatch& watch, ProposeTo propose_to)
    : context_(context), watch_(watch), propose_to_(std::move(propose_to)) {
  watch_.listen(context_.where(), context_.guard([this] { pump(); }));
}

Sequencer::~Sequencer() {
  watch_.forget(context_.where());
}

void Sequencer::resume() {
  pump();
  acknowledge_later();
}

void Sequencer::on_committed(const std::vector<Folded>&) {
  pump();
}

void Sequencer::pump() {
  const auto recorded = watch_.recorded(context_.where());
  if (!recorded) return;  // `audit` is not loaded yet: the watch will call
  sent_ = std::max(sent_, *recorded);
  if (disturbed_ || in_flight_ >= kInFlightMax) return;
  std::vector<AuditRecorded> entries;
  context_.rows(kAuditorProjection).scan(key_of(sent_ + 1), "", [&](BytesView, BytesView value) {
    auto entry = from_text<AuditRecorded>(value);
    // Rows are our own writing; what cannot be read is a damaged store.
    ST_ASSERT(entry.ok());
    entries.push_back(std::move(entry).value());
    return in_flight_ + entries.size() < kInFlightMax;
  });
  for (AuditRecorded& entry : entries) append(std::move(entry));
}

void Sequencer::append(AuditRecorded entry) {
  entry.source.previous = sent_;
  sent_ = entry.source.position;
  ++in_flight_;
  Proposal proposal;
  if (entry.organization) proposal.org = *entry.organization;
  proposal.subject = entry.resource;
  proposal.causation = entry.event;
  proposal.body = std::move(entry);
  auto applied = context_.guard([this] { one_done(true); });
  auto other = context_.guard([this] { one_done(false); });
  propose_to_({kAuditTopic, 0}, std::move(proposal),
              [applied, other](const ProposalOutcome& outcome) {
                outcome.applied() ? applied() : other();
              });
}

void Sequencer::one_done(bool applied) {
  --in_flight_;
  if (!applied) disturbed_ = true;
  if (in_flight_ > 0) return;
  if (!disturbed_) return pump();
  // Begin again behind what is recorded, once that has settled.
  context_.at(context_.now() + kAfterTrouble, "again", [this] {
    disturbed_ = false;
    sent_ = -1;
    pump();
  });
}

void Sequencer::acknowledge_later() {
  context_.at(context_.now() + kAcknowledgeEvery, "acknowledge", [this] {
    acknowledge();
    acknowledge_later();
  });
}

void Sequencer::acknowledge() {
  context_.decide("acknowledge", [this]() -> std::optional<Proposal> {
    const auto recorded = watch_.recorded(context_.where());
    if (!recorded || *recorded <= context_.state().meta.audit_acknowledged) return std::nullopt;
    Proposal proposal;
    proposal.subject = context_.where().text();
    proposal.body = AuditAcknowledged{*recorded};
    return proposal;
  });
}

}  // namespace sandtrail
