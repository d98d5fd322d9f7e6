// SPDX-License-Identifier: Apache-2.0
#include "checkers.h"

#include "crypto/merkle.h"
#include "domain/notify.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail::sim {
namespace {

// Worked out anew from its definition (domain/rating.h): started milliseconds, up to the limit and
// two seconds, times MiB and thousandths of a core, by the price of a GiB, a core and a second.
std::int64_t cost(std::int64_t price, const ExecutionLimits& limits, std::int64_t wall_us) {
  std::int64_t ms = wall_us / 1000 + (wall_us % 1000 > 0 ? 1 : 0);
  if (ms > limits.wall_ms + 2000) ms = limits.wall_ms + 2000;
  // The amounts of a simulation are far below 2^63.
  const std::int64_t product = limits.memory_mib * limits.cpu_millis * ms * price;
  const std::int64_t unit = std::int64_t{1024} * 1000 * 1000;
  return product / unit + (product % unit > 0 ? 1 : 0);
}

bool is_audited(const Event& event, const Judgement& judgement) {
  return event.actor && judgement.reason != VoidReason::repeated &&
         judgement.reason != VoidReason::idempotent_replay;
}

}  // namespace

std::string Problems::text() const {
  std::string out;
  for (const std::string& problem : found_) out += "\n  " + problem;
  return out;
}

Checkers::Checkers(MemoryLog& log, std::int32_t events_partitions, Problems& problems)
    : problems_(problems) {
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    const std::int32_t count = kind == TopicKind::events ? events_partitions : 1;
    const std::string topic(topic_of(kind));
    problems_.expect(log.ensure_topic({topic, count}).ok(), "topic " + topic);
    for (std::int32_t i = 0; i < count; ++i) parts_.emplace(TopicPartition{topic, i}, Part(kind));
  }
  open(log);
}

void Checkers::open(MemoryLog& log) {
  for (auto& [where, part] : parts_) {
    auto reader = log.open_reader(where, part.next);
    problems_.expect(reader.ok(), "no reader");
    if (reader.ok()) part.reader = std::move(reader).value();
  }
}

void Checkers::reconnect(MemoryLog& log) {
  open(log);
}

void Checkers::catch_up() {
  for (auto& [where, part] : parts_) {
    while (part.reader) {
      auto batch = part.reader->poll(1 << 20);
      // A record that was readable once stays: G1, G6.
      problems_.expect(batch.ok(), "reading " + where.text());
      if (!batch.ok() || batch->records.empty()) break;
      for (const StoredRecord& stored : batch->records) fold(part, where, stored);
      part.next = batch->next;
    }
  }
}

void Checkers::fold(Part& part, const TopicPartition& where, const StoredRecord& stored) {
  const auto decoded = decode_event(stored.record);
  FoldInput input;
  input.position = stored.position.value;
  input.stamp = stored.stamp;
  input.event = std::get_if<Event>(&decoded);
  if (input.event == nullptr) input.unreadable = std::get<VoidReason>(decoded);
  input.value = stored.record.value;
  const Judgement judgement = judge_(part.core, input);
  ++records_;
  if (keeping_) note(where, stored, judgement);
  if (!judgement.applied()) ++voids_[judgement.reason];
  if (input.event == nullptr) return;
  if (where.topic != kAuditTopic && is_audited(*input.event, judgement)) {
    part.audited.push_back(stored.position.value);
  }
  if (judgement.applied()) apply(*input.event, stored);
  if (input.event->idempotency && judgement.applied()) {
    const int times = ++idempotency_[input.event->idempotency->key_hmac.bytes];
    problems_.expect(times == 1, "one idempotency key, two applied requests");
  }
}

void Checkers::apply(const Event& event, const StoredRecord& stored) {
  if (const auto* entry = std::get_if<AuditRecorded>(&event.body)) {
    entries_.push_back(*entry);
    leaves_.push_back(merkle_leaf_hash(stored.record.value));
  } else if (const auto* signed_tree = std::get_if<AuditCheckpointSigned>(&event.body)) {
    checkpoint_ = signed_tree->note;
  }
  apply_money(event);
  apply_execution(event);
  apply_webhook(event);
}

void Checkers::on_entry(const LedgerEntry& entry) {
  std::int64_t sum = 0;
  for (const Posting& posting : entry.postings) sum += posting.amount.count;
  problems_.expect(sum == 0, "a ledger entry does not sum to zero");
}

void Checkers::apply_money(const Event& event) {
  if (const auto entry = ledger_entry_of(event)) on_entry(*entry);
  if (const auto* card = std::get_if<PlatformAdopted>(&event.body)) {
    prices_[card->card.version] = card->card.per_gib_core_second.count;
  }
  Account& account = accounts_[event.org];
  if (const auto* created = std::get_if<OrganizationCreated>(&event.body)) {
    account.granted += created->grant.count;
    account.key = created->key;
  } else if (const auto* granted = std::get_if<BillingGranted>(&event.body)) {
    account.granted += granted->amount.count;
  } else if (const auto* assigned = std::get_if<ExecutionAssigned>(&event.body)) {
    if (assigned->attempt == 1) account.held += assigned->hold.count;
  } else if (const auto* settled = std::get_if<BillingSettled>(&event.body)) {
    History& row = history(settled->execution, "settled");
    problems_.expect(!row.settled, settled->execution.text() + " is settled twice");
    row.settled = settled->amount.count;
    const std::int64_t due =
        row.end == ExecutionFinished::kType ? cost(row.price, row.limits, row.wall_us) : 0;
    problems_.expect(settled->amount.count == due, settled->execution.text() + " is charged " +
                                                       std::to_string(settled->amount.count) +
                                                       ", not " + std::to_string(due));
    account.held -= row.hold;
    account.charged += settled->amount.count;
  }
  problems_.expect(account.granted - account.charged - account.held >= 0,
                   event.org.text() + " has spent more than it had");
}

History& Checkers::history(const ExecutionId& id, std::string_view what) {
  const auto found = executions_.find(id);
  if (found != executions_.end()) return found->second;
  problems_.add(id.text() + " is " + std::string(what) + " and was never requested");
  return executions_[id];
}

void Checkers::end(const ExecutionId& id, const Event& event) {
  History& row = history(id, "over");
  row.end = type_of(event.body);
  row.to_tell = accounts_[event.org].endpoints;
  if (row.callback) row.to_tell.emplace(kCallbackReceiver);
  problems_.expect(++row.terminals == 1, id.text() + " ends twice, by " + row.end);
}

void Checkers::apply_execution(const Event& event) {
  if (const auto* requested = std::get_if<ExecutionRequested>(&event.body)) {
    History& row = executions_[requested->execution];
    row.org = event.org;
    row.key = requested->payload.key;
    row.limits = requested->limits;
    row.retention = requested->retention;
    row.attempts_max = requested->attempts_max;
    row.input = requested->payload;
    row.callback = requested->callback;
  } else if (const auto* assigned = std::get_if<ExecutionAssigned>(&event.body)) {
    History& row = history(assigned->execution, "assigned");
    problems_.expect(row.terminals == 0, assigned->execution.text() + " is assigned after its end");
    problems_.expect(assigned->attempt == ++row.attempt, "attempts are not counted one by one");
    row.assigned[assigned->attempt] = {assigned->execution, assigned->attempt, assigned->host,
                                       assigned->host_epoch};
    if (assigned->attempt == 1) row.price = prices_.at(assigned->rate_card);
    row.hold = assigned->hold.count;
    problems_.expect(row.hold == cost(row.price, row.limits, (row.limits.wall_ms + 2000) * 1000),
                     assigned->execution.text() + " has the wrong hold");
  } else if (const auto* finished = std::get_if<ExecutionFinished>(&event.body)) {
    end(finished->execution, event);
    History& row = executions_[finished->execution];
    row.wall_us = finished->usage.wall_us;
    row.output = finished->payload;
    problems_.expect(launched_.contains({finished->execution, finished->attempt}),
                     finished->execution.text() + " finished an attempt that no host began");
  } else if (const auto* rejected = std::get_if<ExecutionRejected>(&event.body)) {
    end(rejected->execution, event);
  } else if (const auto* cancelled = std::get_if<ExecutionCancelled>(&event.body)) {
    end(cancelled->execution, event);
  } else if (const auto* lost = std::get_if<ExecutionLost>(&event.body)) {
    end(lost->execution, event);
  } else if (const auto* erased = std::get_if<ExecutionErased>(&event.body)) {
    History& row = history(erased->execution, "erased");
    problems_.expect(++row.erased == 1 && row.terminals == 1, "erased before its end, or twice");
  } else if (const auto* destroyed = std::get_if<ExecutionKeyDestroyed>(&event.body)) {
    History& row = history(destroyed->execution, "without its key");
    problems_.expect(++row.key_destroyed == 1 && row.erased == 1, "key destroyed before erased");
  }
}

void Checkers::on_launch(const Launch& launch) {
  catch_up();
  const std::string what = launch.execution.text() + " attempt " + std::to_string(launch.attempt);
  const auto row = executions_.find(launch.execution);
  const bool assigned = row != executions_.end() && row->second.assigned.contains(launch.attempt);
  problems_.expect(assigned, what + " is launched before it is assigned");
  if (assigned) {
    const Launch& to = row->second.assigned.at(launch.attempt);
    problems_.expect(to.host == launch.host && to.host_epoch == launch.host_epoch,
                     what + " is launched by a host that it was not assigned to");
    History& history = executions_.at(launch.execution);
    problems_.expect(++history.launches <= history.attempts_max,
                     what + " runs more often than its request allows");
  }
  problems_.expect(launched_.insert({launch.execution, launch.attempt}).second,
                   what + " is launched twice");
}

void Checkers::on_digest(const TopicPartition& where, Position next, const std::string& digest) {
  const auto [known, fresh] = digests_.emplace(std::pair(where, next.value), digest);
  problems_.expect(fresh || known->second == digest,
                   "two folds of " + where.text() + " differ at " + std::to_string(next.value));
}

bool Checkers::all_over() const {
  for (const auto& [id, row] : executions_) {
    if (row.terminals == 0 || (row.hold > 0 && !row.settled)) return false;
    if (row.retention && row.key_destroyed == 0) return false;
    if (!row.to_tell.empty()) return false;
  }
  for (const auto& [id, row] : deliveries_) {
    if (row.ends == 0) return false;
  }
  std::size_t audited = 0;
  for (const auto& [where, part] : parts_) audited += part.audited.size();
  const auto& audit = state({kAuditTopic, 0});
  return audited == leaves_.size() &&
         audit.meta.checkpoint_size == static_cast<std::int64_t>(leaves_.size());
}

void Checkers::check_all_over() {
  for (const auto& [id, row] : executions_) {
    problems_.expect(row.terminals == 1, id.text() + " has not ended");
    problems_.expect(row.hold == 0 || row.settled.has_value(), id.text() + " is not settled");
    if (row.retention) {
      problems_.expect(row.erased == 1 && row.key_destroyed == 1, id.text() + " is not erased");
    } else {
      problems_.expect(row.erased == 0, id.text() + " is erased though nobody asked for it");
    }
    problems_.expect(row.to_tell.empty(), id.text() + " has receivers that nobody told");
  }
  for (const auto& [id, row] : deliveries_) {
    problems_.expect(row.ends == 1, id.text() + " of " + row.execution.text() + " has not ended");
  }
  for (const auto& [where, part] : parts_) {
    for (const auto& [org, row] : part.core.state().orgs.rows()) {
      problems_.expect(row.held.count == 0, org.text() + " still has credits held");
      problems_.expect(row.queued == 0 && row.running == 0, org.text() + " has open counts");
      const Account& account = accounts_[org];
      problems_.expect(row.granted.count == account.granted && row.settled.count == account.charged,
                       org.text() + " has another balance than its records");
    }
    problems_.expect(part.core.state().parked.size() == 0, "an effect is parked: " + where.text());
  }
}

void Checkers::check_audit(const AuditKey& key) {
  std::map<TopicPartition, std::vector<std::int64_t>> recorded;
  for (const AuditRecorded& entry : entries_) {
    const TopicPartition source{entry.source.topic,
                                static_cast<std::int32_t>(entry.source.partition)};
    auto& positions = recorded[source];
    problems_.expect(entry.source.previous == (positions.empty() ? -1 : positions.back()),
                     "an audit entry names the wrong one before it");
    positions.push_back(entry.source.position);
  }
  for (const auto& [where, part] : parts_) {
    problems_.expect(recorded[where] == part.audited,
                     where.text() + ": " + std::to_string(recorded[where].size()) +
                         " audit entries of " + std::to_string(part.audited.size()) +
                         " audited records");
  }
  if (leaves_.empty()) return;
  const auto opened = key.open(checkpoint_);
  problems_.expect(opened.ok(), "the checkpoint's signature is wrong");
  if (!opened.ok()) return;
  problems_.expect(opened->first == leaves_.size(), "the checkpoint leaves entries out");
  problems_.expect(opened->second == merkle_root(leaves_), "the checkpoint has the wrong root");
}

std::set<DataKeyId> Checkers::bound_keys() const {
  std::set<DataKeyId> out;
  for (const auto& [org, account] : accounts_) out.insert(account.key);
  for (const auto& [id, row] : executions_) {
    if (row.key_destroyed == 0) out.insert(row.key);
  }
  return out;
}

}  // namespace sandtrail::sim
