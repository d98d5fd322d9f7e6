// SPDX-License-Identifier: Apache-2.0
#include "launcher_partition.h"

#include "base/limits.h"

namespace sandtrail {
namespace {

// A host that is full says so at once: asking again at once would fill the log.
constexpr Millis kAfterRefusal = seconds(1);

// What other threads leave for the partition's, with one wake-up for all that is there.
template <typename T>
class Inbox {
 public:
  void put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> items_;
};

// Calls `handle` with each item on the partition's thread.
template <typename T, typename Handle>
std::function<void(T)> into_partition(RoleContext& context, Handle handle) {
  auto inbox = std::make_shared<Inbox<T>>();
  auto drain = context.guard([inbox, handle] {
    for (T& item : inbox->take()) handle(item);
  });
  return [inbox, drain](T item) {
    inbox->put(std::move(item));
    drain();
  };
}

}  // namespace

LauncherPartition::LauncherPartition(RoleContext& context, Hosts& hosts, Payloads& payloads,
                                     Executor executor)
    : context_(context),
      hosts_(hosts),
      payloads_(payloads),
      executor_(std::move(executor)),
      live_since_(context.now()) {
  watch_hosts();
}

LauncherPartition::~LauncherPartition() {
  hosts_.detach(context_.where().partition);
  for (const auto& [execution, held] : held_) hosts_.release(held.host);
}

void LauncherPartition::watch_hosts() {
  using Attempt = std::pair<ExecutionId, std::int64_t>;
  Hosts::Listener listener;
  listener.owner = authority();
  listener.on_report =
      into_partition<HostReport>(context_, [this](HostReport& report) { on_report(report); });
  listener.on_never_sent = [put = into_partition<Attempt>(context_, [this](const Attempt& attempt) {
                              on_never_sent(attempt.first, attempt.second);
                            })](const ExecutionId& id, std::int64_t attempt) {
    put({id, attempt});
  };
  listener.on_host =
      into_partition<HostId>(context_, [this](const HostId& host) { on_host(host); });
  listener.on_slot_free = context_.guard([this] { schedule(); });
  hosts_.attach(std::move(listener));
}

OrderAuthority LauncherPartition::authority() const {
  return {context_.where().partition, context_.epoch()};
}

void LauncherPartition::resume() {
  // First of all: from then on no host takes an order of the owner before.
  hosts_.take_over(context_.where().partition);
  for (const auto& [id, row] : context_.state().executions.rows()) take_up(id, row);
  schedule();
}

// Goes on with an execution as the state shows it. Harmless when repeated.
void LauncherPartition::take_up(const ExecutionId& id, const ExecutionRow& row) {
  if (held_by_host(row)) return take_up_held(id, row);
  if (row.status != ExecutionStatus::requested) return;
  if (row.cancel_requested) {
    decide_cancelled(id);
  } else if (!in_flight_.contains(id)) {
    queue_.add(row.org, row.position, id);
  }
}

void LauncherPartition::take_up_held(const ExecutionId& id, const ExecutionRow& row) {
  const Held& held = hold_slot(id, row.host);
  if (held.never_sent) return withdraw(id);
  if (!held.refusal.empty()) {
    HostReport again;
    again.execution = id;
    again.attempt = row.attempt;
    again.what = ExecutionRefused{id, row.attempt, row.host_epoch, held.refusal};
    return append_report(again);
  }
  if (held.reported) return;
  const auto host = hosts_.find(row.host);
  if (host == nullptr) return wait_for_host(id, row);
  switch (host->holding(context_.where().partition, id, row.attempt)) {
    case Holding::unknown:
      return;  // its answer comes, or it lapses
    case Holding::yes:
      watch(id, row);
      if (row.cancel_requested) host->cancel(authority(), id, row.attempt);
      return;
    case Holding::no:
      break;
  }
  // It was never launched there, and no order of an earlier owner can do so any more.
  const bool same_epoch = host->info().epoch == row.host_epoch;
  if (same_epoch && row.status == ExecutionStatus::assigned) return launch(id);
  give_up(id, same_epoch ? "the host knows nothing of it" : "the host restarted");
}

LauncherPartition::Held& LauncherPartition::hold_slot(const ExecutionId& id, const HostId& host) {
  const auto [at, added] = held_.try_emplace(id, Held{host, false, "", false, false});
  if (added) hosts_.occupy(host);
  return at->second;
}

// The host may yet come back, with the attempt or its result.
void LauncherPartition::wait_for_host(const ExecutionId& id, const ExecutionRow& row) {
  UnixMs until = live_since_ + limits::kHostLease + limits::kHostLeaseMargin;
  if (const auto absence = hosts_.absence(row.host)) {
    if (absence->left_epoch >= row.host_epoch) return give_up(id, "the host left");
    // A clock that was ahead then must not keep it waiting.
    const UnixMs since = std::min(absence->since, context_.now());
    until = std::max(until, since + limits::kHostLeaseMargin);
  }
  if (until <= context_.now()) return give_up(id, "the host is gone");
  context_.at(until, "lease/" + id.text(), [this, id] {
    if (const ExecutionRow* row_now = find(id)) take_up(id, *row_now);
  });
}

// A host that lives and never reports an end must not keep credits on hold for ever.
void LauncherPartition::watch(const ExecutionId& id, const ExecutionRow& row) {
  Held& held = held_.at(id);
  if (std::exchange(held.watched, true)) return;
  const Millis longest{limits::kSandboxBootTimeout.count + row.limits.wall_ms +
                       limits::kReportGrace.count};
  context_.at(context_.now() + longest, "overdue/" + id.text(), [this, id] {
    const ExecutionRow* now = find(id);
    const auto found = held_.find(id);
    if (now == nullptr || !held_by_host(*now) || found == held_.end()) return;
    if (found->second.reported || !found->second.refusal.empty()) return;
    if (const auto host = hosts_.find(now->host)) host->cancel(authority(), id, now->attempt);
    give_up(id, "the host did not report its end in time");
  });
}

void LauncherPartition::on_host(const HostId& host) {
  std::vector<ExecutionId> there;
  for (const auto& [id, held] : held_) {
    if (held.host == host) there.push_back(id);
  }
  for (const ExecutionId& id : there) {
    const ExecutionRow* row = find(id);
    if (row != nullptr && held_by_host(*row)) take_up(id, *row);
  }
  schedule();
}

void LauncherPartition::on_never_sent(const ExecutionId& id, std::int64_t attempt) {
  const ExecutionRow* row = find(id);
  const auto found = held_.find(id);
  if (row == nullptr || row->attempt != attempt || found == held_.end()) return;
  if (row->status != ExecutionStatus::assigned) return;
  // It may have been ordered once more before this was heard: then there is an order on its way.
  const auto host = hosts_.find(row->host);
  const auto partition = context_.where().partition;
  if (host != nullptr && host->holding(partition, id, attempt) == Holding::yes) return;
  found->second.never_sent = true;
  withdraw(id);
}

void LauncherPartition::on_committed(const std::vector<Folded>& batch) {
  for (const Folded& folded : batch) {
    if (folded.applied()) on_record(folded);
  }
  schedule();
}

void LauncherPartition::on_record(const Folded& folded) {
  if (const auto* requested = folded.applied_as<ExecutionRequested>()) {
    if (const auto* row = find(requested->execution)) take_up(requested->execution, *row);
  } else if (const auto* cancel = folded.applied_as<ExecutionCancelRequested>()) {
    const auto* row = find(cancel->execution);
    if (row == nullptr) return;
    queue_.remove(row->org, row->position, cancel->execution);
    if (row->status == ExecutionStatus::requested) {
      decide_cancelled(cancel->execution);
    } else if (const auto host = hosts_.find(row->host)) {
      host->cancel(authority(), cancel->execution, row->attempt);
    }
  } else if (const auto* refused = folded.applied_as<ExecutionRefused>()) {
    ended(refused->execution, refused->attempt);
    context_.at(context_.now() + kAfterRefusal, "refused/" + refused->execution.text(),
                [this, id = refused->execution] {
                  if (const auto* row = find(id)) take_up(id, *row);
                  schedule();
                });
  } else if (const auto* attempt_lost = folded.applied_as<ExecutionAttemptLost>()) {
    cancel_lost(attempt_lost->execution, attempt_lost->attempt);
    ended(attempt_lost->execution, attempt_lost->attempt);
    if (const auto* row = find(attempt_lost->execution)) take_up(attempt_lost->execution, *row);
  } else if (const auto* finished = folded.applied_as<ExecutionFinished>()) {
    ended(finished->execution, finished->attempt);
  } else if (const auto* lost = folded.applied_as<ExecutionLost>()) {
    cancel_lost(lost->execution, lost->attempt);
    ended(lost->execution, lost->attempt);
  }
}

// A host that runs it all the same shall not.
void LauncherPartition::cancel_lost(const ExecutionId& id, std::int64_t attempt) {
  const auto* row = find(id);
  const auto host = row == nullptr ? nullptr : hosts_.find(row->host);
  if (host != nullptr) host->cancel(authority(), id, attempt);
}

void LauncherPartition::ended(const ExecutionId& id, std::int64_t attempt) {
  if (const auto* row = find(id)) {
    if (const auto host = hosts_.find(row->host)) host->acknowledge(authority(), id, attempt);
  }
  context_.cancel("lease/" + id.text());
  context_.cancel("overdue/" + id.text());
  free_slot(id);
}

void LauncherPartition::free_slot(const ExecutionId& id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return;
  const HostId host = found->second.host;
  held_.erase(found);
  hosts_.release(host);
}

void LauncherPartition::reject(const ExecutionId& id, RejectReason reason, std::string detail) {
  context_.decide("reject/" + id.text(), [this, id, reason, detail]() -> std::optional<Proposal> {
    const auto* row = find(id);
    if (row == nullptr || row->status != ExecutionStatus::requested) return std::nullopt;
    return about(id, *row, ExecutionRejected{id, reason, detail});
  });
}

// The attempt is gone: another one if the request allows it, else the end.
void LauncherPartition::give_up(const ExecutionId& id, const std::string& reason) {
  context_.decide("lost/" + id.text(), [this, id, reason]() -> std::optional<Proposal> {
    const auto* row = find(id);
    if (row == nullptr || !held_by_host(*row)) return std::nullopt;
    if (row->attempts_lost + 1 < row->attempts_max && !row->cancel_requested) {
      return about(id, *row, ExecutionAttemptLost{id, row->attempt, true, reason});
    }
    return about(id, *row, ExecutionLost{id, row->attempt, reason});
  });
}

// The attempt was certainly not started. This is a decision, which a replaced launcher cannot make:
// its successor may have launched the attempt since.
void LauncherPartition::withdraw(const ExecutionId& id) {
  const std::string key = "withdraw/" + id.text();
  context_.decide(key, [this, id]() -> std::optional<Proposal> {
    const auto* row = find(id);
    const auto held = held_.find(id);
    if (row == nullptr || row->status != ExecutionStatus::assigned) return std::nullopt;
    if (held == held_.end() || !held->second.never_sent) return std::nullopt;
    return about(id, *row,
                 ExecutionAttemptLost{id, row->attempt, false, "its host never got the order"});
  });
}

void LauncherPartition::decide_cancelled(const ExecutionId& id) {
  context_.decide("cancel/" + id.text(), [this, id]() -> std::optional<Proposal> {
    const auto* row = find(id);
    if (row == nullptr || row->status != ExecutionStatus::requested) return std::nullopt;
    return about(id, *row, ExecutionCancelled{id});
  });
}

Proposal LauncherPartition::about(const ExecutionId& id, const ExecutionRow& row,
                                  EventBody body) const {
  Proposal proposal;
  proposal.org = row.org;
  proposal.subject = id.text();
  proposal.correlation = id.text();
  proposal.body = std::move(body);
  return proposal;
}

}  // namespace sandtrail
