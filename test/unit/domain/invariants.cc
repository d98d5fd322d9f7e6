// SPDX-License-Identifier: Apache-2.0
#include "invariants.h"

#include "base/limits.h"

namespace sandtrail::test {
namespace {

// Letters of the rows that changed, in `rows` brought up to date.
std::set<char> drain_changes(Core& core, Rows& rows) {
  std::set<char> letters;
  core.drain(
      [&](Bytes key, Bytes value) {
        Bytes& stored = rows[key];
        if (stored != value) letters.insert(key.front());
        stored = std::move(value);
      },
      [&](const Bytes& key) {
        if (rows.erase(key) > 0) letters.insert(key.front());
      });
  return letters;
}

// The execution that an event ends, if it is applied.
std::optional<ExecutionId> ends(const EventBody& body) {
  if (const auto* e = std::get_if<ExecutionFinished>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionRejected>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionCancelled>(&body)) return e->execution;
  if (const auto* e = std::get_if<ExecutionLost>(&body)) return e->execution;
  return std::nullopt;
}

}  // namespace

Invariants::Invariants(const History& history) {
  Core core = history.start();
  drain_changes(core, rows_);
  for (const auto& [id, org] : core.state().orgs.rows()) {
    totals_[id][Account::granted] = -org.granted.count;
    totals_[id][Account::available] = org.granted.count;
  }
  for (const auto& [key, card] : core.state().cards.rows()) cards_[card.version] = card;
  anything_due_ = false;
}

std::string Invariants::after(const History& history, Core& core, const Judgement& judgement) {
  const Record& record = history.records().back();
  const CoreState& state = core.state();
  const UnixMs now = state.meta.log_time;
  const std::set<char> changed = drain_changes(core, rows_);
  const bool forgot = anything_due_ && next_due_ <= now;
  anything_due_ = !state.agenda.empty();
  if (anything_due_) next_due_ = std::get<0>(*state.agenda.begin());
  if (anything_due_ && next_due_ <= now) return "something due was not forgotten";

  if (!record.readable && judgement.reason != VoidReason::malformed) return "unreadable, not void";
  if (!judgement.applied()) {
    for (const char letter : changed) {
      const bool by_time = forgot && (letter == 'x' || letter == 'i');
      if (letter != 'j' && letter != 'm' && !by_time) {
        return std::string("a void event changed a row of table ") + letter;
      }
    }
  }
  std::string wrong;
  const auto check = [&wrong](std::string problem) {
    if (wrong.empty()) wrong = std::move(problem);
  };
  if (record.readable) check(check_idempotency(record.event, judgement, now));
  if (judgement.applied()) check(check_applied(record.event, state));
  // Rows are recounted when one of them changed, and now and then all the same.
  if (changed.contains('o') || changed.contains('x') || changed.contains('d') ||
      record.position % 32 == 0) {
    check(check_organizations(state));
    check(check_executions(state));
  }
  return wrong;
}

std::string Invariants::check_applied(const Event& event, const CoreState& state) {
  if (!applied_.insert(event.id).second) return "an event id was applied twice";
  if (const auto x = ends(event.body)) {
    if (!ended_.insert(*x).second) return "an execution ended twice";
  }
  if (const auto* adopted = std::get_if<PlatformAdopted>(&event.body)) {
    if (!cards_.emplace(adopted->card.version, adopted->card).second) return "a card changed";
  }
  if (const auto* settled = std::get_if<BillingSettled>(&event.body)) {
    const auto wrong = check_settlement(*settled);
    if (!wrong.empty()) return wrong;
  }
  if (std::holds_alternative<ExecutionAssigned>(event.body) &&
      state.orgs.find(event.org)->available().count < 0) {
    return "a hold exceeds what is available";
  }
  return check_ledger(event);
}

std::string Invariants::check_settlement(const BillingSettled& settled) const {
  const ExecutionRow& row = last_seen_.at(settled.execution);
  const RateCard& card = cards_.at(row.rate_card);
  const bool finished = row.status == ExecutionStatus::finished;
  const std::int64_t due = finished ? rate(card, row.limits, row.wall_us).amount.count : 0;
  if (settled.amount.count != due) return "the amount is not the rating";
  if (settled.amount > row.hold || settled.hold != row.hold) return "more than was held";
  return "";
}

std::string Invariants::check_ledger(const Event& event) {
  const auto entry = ledger_entry_of(event);
  if (!entry) return "";
  std::int64_t sum = 0;
  Totals& totals = totals_[event.org];
  for (const Posting& posting : entry->postings) {
    sum += posting.amount.count;
    totals[posting.account] += posting.amount.count;
  }
  if (entry->event != event.id.text()) return "a ledger entry of another event";
  return sum == 0 ? "" : "a ledger entry does not sum to zero";
}

std::string Invariants::check_idempotency(const Event& event, const Judgement& judgement,
                                          UnixMs now) {
  if (!event.idempotency) return "";
  const auto key = std::pair(event.org, event.idempotency->key_hmac.bytes);
  const Bytes& body = event.idempotency->body_hmac.bytes;
  const auto found = meanings_.find(key);
  const bool known = found != meanings_.end() && found->second.until > now;
  if (judgement.applied()) {
    if (known) return "an idempotency key has two meanings";
    meanings_[key] = {body, event.subject, now + limits::kIdempotencyKept};
  } else if (judgement.reason == VoidReason::idempotent_replay) {
    if (!known || found->second.body != body) return "not a replay";
    if (judgement.existing != found->second.subject) return "a replay names another subject";
  } else if (judgement.reason == VoidReason::idempotency_conflict) {
    if (!known || found->second.body == body) return "not a conflict";
  }
  return "";
}

std::string Invariants::check_organizations(const CoreState& state) const {
  for (const auto& [id, org] : state.orgs.rows()) {
    std::int64_t queued = 0, running = 0, held = 0;
    for (const auto& [x, row] : state.executions.rows()) {
      if (row.org != id) continue;
      if (row.status == ExecutionStatus::requested) ++queued;
      if (row.status == ExecutionStatus::assigned || row.status == ExecutionStatus::started) {
        ++running;
      }
      if (!row.settled) held += row.hold.count;
    }
    if (queued != org.queued) return "the queue is miscounted";
    if (running != org.running) return "the running are miscounted";
    if (held != org.held.count) return "the held sum is not that of the holds";
    if (org.available().count < 0) return "less than nothing is available";
    const auto account = [&totals = totals_.at(id)](Account a) {
      const auto found = totals.find(a);
      return found == totals.end() ? 0 : found->second;
    };
    if (account(Account::available) != org.available().count ||
        account(Account::held) != org.held.count ||
        account(Account::granted) != -org.granted.count ||
        account(Account::revenue) != org.settled.count) {
      return "the ledger and the organisation differ";
    }
  }
  return "";
}

std::string Invariants::check_executions(const CoreState& state) {
  std::map<ExecutionId, std::int64_t> open;
  for (const auto& [d, row] : state.deliveries.rows()) ++open[row.execution];
  for (const auto& [x, row] : state.executions.rows()) {
    if (is_terminal(row.status) != ended_.contains(x)) return "an end without a terminal event";
    if (row.over() != row.over_since.has_value()) return "it is not known since when it is over";
    if (open[x] != row.deliveries_open) return "open deliveries are miscounted";
    const auto [before, added] = last_seen_.emplace(x, row);
    if (!added) {
      const ExecutionRow& old = before->second;
      if (is_terminal(old.status) && old.status != row.status) return "an end was changed";
      if (old.attempt > row.attempt) return "an attempt was taken back";
      if (old.attempt > 0 && (old.hold != row.hold || old.rate_card != row.rate_card)) {
        return "a hold was changed";
      }
      if (old.settled && !row.settled) return "a settlement was taken back";
      before->second = row;
    }
  }
  return "";
}

}  // namespace sandtrail::test
