// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "domain/notify.h"
#include "legality.h"

namespace sandtrail::legality {
namespace {

// The execution of the event's organisation, or null.
const ExecutionRow* find(const Context& c, const ExecutionId& id) {
  const ExecutionRow* row = c.state.executions.find(id);
  return row != nullptr && row->org == c.event.org ? row : nullptr;
}

bool held_by_host(const ExecutionRow& row) {
  return row.status == ExecutionStatus::assigned || row.status == ExecutionStatus::started;
}

// The report of a host counts only for the attempt and epoch that it was given.
VoidReason check_report(const ExecutionRow* row, std::int64_t attempt, std::int64_t host_epoch) {
  if (row == nullptr) return VoidReason::not_found;
  if (!held_by_host(*row)) return VoidReason::wrong_state;
  if (row->attempt != attempt || row->host_epoch != host_epoch) return VoidReason::wrong_attempt;
  return VoidReason::none;
}

// Leaves `requested`, `assigned` or `started`; keeps the organisation's counts right.
void leave(Context& c, const ExecutionRow& row) {
  OrgRow& org = c.state.orgs.change(c.event.org);
  if (row.status == ExecutionStatus::requested) {
    --org.queued;
  } else {
    --org.running;
  }
}

void end(Context& c, const ExecutionId& id, ExecutionStatus status) {
  leave(c, *c.state.executions.find(id));
  ExecutionRow& row = c.state.executions.change(id);
  row.status = status;
  row.ended = c.now;
  row.terminal_event = c.event.id.text();
  row.settled = row.hold.count == 0;
  row.notify = receivers_of(c.state, row);
  plan_forgetting(c, id, row);
}

void back_to_queue(Context& c, const ExecutionId& id) {
  OrgRow& org = c.state.orgs.change(c.event.org);
  --org.running;
  ++org.queued;
  c.state.executions.change(id).status = ExecutionStatus::requested;
}

}  // namespace

VoidReason judge(Context& c, const ExecutionRequested& e) {
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (org == nullptr) return VoidReason::unknown_organization;
  if (e.execution.nil() || e.network != "none" || !check(e.limits, "").empty() ||
      e.attempts_max < 1 || e.attempts_max > limits::kAttemptsMax ||
      (e.retention &&
       (*e.retention < limits::kRetentionMin || *e.retention > limits::kRetentionMax))) {
    return VoidReason::invalid;
  }
  if (c.state.executions.find(e.execution) != nullptr) return VoidReason::already_exists;
  if (org->queued >= org->limits.queued_max) return VoidReason::limit_reached;
  ExecutionRow& row = c.state.executions.change(e.execution);
  row.org = c.event.org;
  row.position = c.position;
  row.requested = c.now;
  row.limits = e.limits;
  row.attempts_max = e.attempts_max;
  row.callback = e.callback;
  row.retention = e.retention;
  row.key = e.payload.key;
  row.correlation = c.event.correlation;
  ++c.state.orgs.change(c.event.org).queued;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionRejected& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (row->status != ExecutionStatus::requested) return VoidReason::wrong_state;
  end(c, e.execution, ExecutionStatus::rejected);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionAssigned& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (row->status != ExecutionStatus::requested || row->cancel_requested) {
    return VoidReason::wrong_state;
  }
  if (e.attempt != row->attempt + 1) return VoidReason::wrong_attempt;
  const OrgRow& org = *c.state.orgs.find(c.event.org);
  if (org.running >= org.limits.running_max) return VoidReason::limit_reached;
  // One hold for the whole execution: a later attempt runs under the first one's.
  if (row->attempt > 0) {
    if (e.hold != row->hold || e.rate_card != row->rate_card) return VoidReason::wrong_amount;
  } else {
    const RateCard* card = c.state.card(e.rate_card);
    if (card == nullptr || e.rate_card != c.state.meta.rate_card) return VoidReason::not_found;
    if (e.hold != worst_case(*card, row->limits)) return VoidReason::wrong_amount;
    if (e.hold > org.available()) return VoidReason::insufficient_credits;
  }
  OrgRow& changed_org = c.state.orgs.change(c.event.org);
  if (row->attempt == 0) changed_org.held.count += e.hold.count;
  --changed_org.queued;
  ++changed_org.running;
  ExecutionRow& changed = c.state.executions.change(e.execution);
  changed.status = ExecutionStatus::assigned;
  changed.attempt = e.attempt;
  changed.host = e.host;
  changed.host_epoch = e.host_epoch;
  changed.hold = e.hold;
  changed.rate_card = e.rate_card;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionRefused& e) {
  const ExecutionRow* row = find(c, e.execution);
  const auto reason = check_report(row, e.attempt, e.host_epoch);
  if (reason != VoidReason::none) return reason;
  // A host that said "started" cannot take it back.
  if (row->status != ExecutionStatus::assigned) return VoidReason::wrong_state;
  back_to_queue(c, e.execution);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionStarted& e) {
  const ExecutionRow* row = find(c, e.execution);
  const auto reason = check_report(row, e.attempt, e.host_epoch);
  if (reason != VoidReason::none) return reason;
  if (row->status != ExecutionStatus::assigned) return VoidReason::wrong_state;
  c.state.executions.change(e.execution).status = ExecutionStatus::started;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionAttemptLost& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (!held_by_host(*row)) return VoidReason::wrong_state;
  if (row->attempt != e.attempt) return VoidReason::wrong_attempt;
  // What was certainly not started costs no run; what has started may have run.
  if (!e.may_have_run && row->status != ExecutionStatus::assigned) return VoidReason::wrong_state;
  // No run is left: the execution is lost, and so the launcher has to say.
  if (e.may_have_run) {
    if (row->attempts_lost + 1 >= row->attempts_max) return VoidReason::limit_reached;
    ++c.state.executions.change(e.execution).attempts_lost;
  }
  back_to_queue(c, e.execution);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionFinished& e) {
  const ExecutionRow* row = find(c, e.execution);
  const auto reason = check_report(row, e.attempt, e.host_epoch);
  if (reason != VoidReason::none) return reason;
  if (e.usage.wall_us < 0) return VoidReason::invalid;
  c.state.executions.change(e.execution).wall_us = e.usage.wall_us;
  end(c, e.execution, ExecutionStatus::finished);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionCancelRequested& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (is_terminal(row->status) || row->cancel_requested) return VoidReason::wrong_state;
  c.state.executions.change(e.execution).cancel_requested = true;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionCancelled& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (row->status != ExecutionStatus::requested || !row->cancel_requested) {
    return VoidReason::wrong_state;
  }
  end(c, e.execution, ExecutionStatus::cancelled);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionLost& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (!held_by_host(*row)) return VoidReason::wrong_state;
  if (row->attempt != e.attempt) return VoidReason::wrong_attempt;
  end(c, e.execution, ExecutionStatus::lost);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionErased& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (row->erased) return VoidReason::wrong_state;
  const auto expires = row->expires();
  if (!expires || *expires > c.now) return VoidReason::not_due;
  c.state.executions.change(e.execution).erased = true;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ExecutionKeyDestroyed& e) {
  const ExecutionRow* row = find(c, e.execution);
  if (row == nullptr) return VoidReason::not_found;
  if (!row->erased || row->key_destroyed || row->key != e.key) return VoidReason::wrong_state;
  c.state.executions.change(e.execution).key_destroyed = true;
  if (row->stub) c.state.executions.erase(e.execution);
  return VoidReason::none;
}

}  // namespace sandtrail::legality
