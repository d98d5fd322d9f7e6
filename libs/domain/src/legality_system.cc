// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "legality.h"

namespace sandtrail::legality {
namespace {

std::string parked_key(DeciderRole role, const std::string& effect) {
  return std::string(enum_text(role)) + "/" + effect;
}

}  // namespace

bool decides(const CoreState& state, const Event& event, DeciderRole role) {
  return event.decision && event.decision->role == role && event.decision->epoch > 0 &&
         event.decision->epoch == state.epoch_of(role);
}

VoidReason judge(Context& c, const OwnerClaimed& e) {
  if (e.epoch != c.state.epoch_of(e.role) + 1) return VoidReason::stale_epoch;
  // Only here: nobody may stop a partition by a claim that is void.
  if (c.other_fold) {
    c.stop = true;
    return VoidReason::none;
  }
  OwnerRow& owner = c.state.owners.change(std::string(enum_text(e.role)));
  owner.epoch = e.epoch;
  owner.instance = e.instance;
  owner.since = c.now;
  return VoidReason::none;
}

VoidReason judge(Context& c, const RulesActivated& e) {
  if (e.number != c.state.meta.rules + 1) return VoidReason::version_mismatch;
  if (e.number > kRulesKnown) {
    c.stop = true;
    return VoidReason::none;
  }
  c.state.meta.rules = e.number;
  return VoidReason::none;
}

VoidReason judge(Context& c, const EffectParked& e) {
  if (!c.event.decision || !decides(c.state, c.event, c.event.decision->role)) {
    return VoidReason::stale_epoch;
  }
  const std::string key = parked_key(c.event.decision->role, e.effect);
  if (e.effect.empty()) return VoidReason::invalid;
  if (c.state.parked.find(key) != nullptr) return VoidReason::already_exists;
  ParkedRow& row = c.state.parked.change(key);
  row.error = e.error;
  row.since = c.now;
  return VoidReason::none;
}

VoidReason judge(Context& c, const EffectResolved& e) {
  const std::string key = parked_key(e.role, e.effect);
  const ParkedRow* row = c.state.parked.find(key);
  if (row == nullptr || row->skipped) return VoidReason::not_found;
  if (e.action == EffectAction::retry) {
    c.state.parked.erase(key);
  } else {
    c.state.parked.change(key).skipped = true;
  }
  return VoidReason::none;
}

VoidReason judge(Context&, const PlatformAccessDenied& e) {
  return e.count > 0 && !e.action.empty() ? VoidReason::none : VoidReason::invalid;
}

VoidReason judge(Context&, const LogLossAccepted& e) {
  if (e.old_identity == e.new_identity) return VoidReason::invalid;
  for (const LostRange& lost : e.partitions) {
    if (lost.found < 0 || lost.found >= lost.expected) return VoidReason::invalid;
  }
  return VoidReason::none;
}

VoidReason judge(Context&, const LogRecordLost&) {
  return VoidReason::none;
}

VoidReason judge(Context& c, const AuditRecorded& e) {
  const std::string chain = e.source.topic + "/" + std::to_string(e.source.partition);
  const AuditChainRow* row = c.state.audit_chains.find(chain);
  const std::int64_t last = row == nullptr ? -1 : row->last;
  if (e.source.previous != last || e.source.position <= last) return VoidReason::out_of_order;
  c.state.audit_chains.change(chain).last = e.source.position;
  c.state.audit_tree.append(merkle_leaf_hash(c.value));
  return VoidReason::none;
}

VoidReason judge(Context& c, const AuditCheckpointSigned& e) {
  const auto tree_size = static_cast<std::int64_t>(c.state.audit_tree.size());
  if (e.size <= c.state.meta.checkpoint_size || e.size > tree_size) {
    return VoidReason::out_of_order;
  }
  if (e.note.empty()) return VoidReason::invalid;
  c.state.meta.checkpoint_size = e.size;
  c.state.meta.checkpoint_note = e.note;
  return VoidReason::none;
}

VoidReason judge(Context& c, const AuditAcknowledged& e) {
  if (!decides(c.state, c.event, DeciderRole::auditor)) return VoidReason::stale_epoch;
  if (e.through <= c.state.meta.audit_acknowledged || e.through >= c.position) {
    return VoidReason::out_of_order;
  }
  c.state.meta.audit_acknowledged = e.through;
  return VoidReason::none;
}

void plan_forgetting(Context& c, const ExecutionId& id, ExecutionRow& row) {
  if (!row.over()) return;
  row.over_since = c.now;
  c.state.agenda.emplace(c.now + limits::kTerminalKept, c.state.executions.letter(),
                         Bytes(id.view()));
}

namespace {

// Nothing but erasure can still happen to it.
void shrink_to_stub(CoreState& state, const ExecutionId& id) {
  const ExecutionRow* row = state.executions.find(id);
  if (row == nullptr || !row->over()) return;
  if (row->key_destroyed) {
    state.executions.erase(id);
    return;
  }
  ExecutionRow& changed = state.executions.change(id);
  changed.stub = true;
  changed.correlation.clear();
  changed.terminal_event.clear();
}

}  // namespace

void forget_due(CoreState& state, UnixMs now) {
  while (!state.agenda.empty()) {
    const auto [due, letter, key] = *state.agenda.begin();
    if (due > now) return;
    state.agenda.erase(state.agenda.begin());
    if (letter == state.executions.letter()) {
      shrink_to_stub(state, ExecutionId::derived(key));
    } else if (letter == state.idempotency.letter()) {
      state.idempotency.erase(key);
    }
  }
}

void rebuild_agenda(CoreState& state) {
  state.agenda.clear();
  for (const auto& [key, row] : state.idempotency.rows()) {
    state.agenda.emplace(row.until, state.idempotency.letter(), key);
  }
  for (const auto& [id, row] : state.executions.rows()) {
    if (row.over() && !row.stub) {
      state.agenda.emplace(*row.over_since + limits::kTerminalKept, state.executions.letter(),
                           Bytes(id.view()));
    }
  }
}

}  // namespace sandtrail::legality
