// SPDX-License-Identifier: Apache-2.0
#include "partition_runner.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/limits.h"

namespace sandtrail {
namespace {

constexpr std::int64_t kSweepEveryUs = 1'000'000;
constexpr std::int64_t kReportEveryUs = 2'000'000;
constexpr std::int64_t kIdleUsMax = 1'000'000;

std::int64_t offset_ms(const Clock& clock) {
  return clock.now().count - clock.monotonic_us() / 1000;
}

}  // namespace

PartitionRunner::PartitionRunner(TopicPartition where, RunnerParts parts)
    : where_(where),
      parts_(parts),
      fold_(where, parts.log, parts.store, parts.projections, *parts.options.versions),
      proposals_(where, parts.log, mailbox_, parts.clock, *parts.options.versions),
      last_sweep_us_(parts.clock.monotonic_us()),
      last_report_us_(parts.clock.monotonic_us() - kReportEveryUs),
      clock_offset_ms_(offset_ms(parts.clock)) {
  for (const auto& role : parts_.roles) {
    if (!role->owns(fold_.kind())) continue;
    sessions_.push_back(std::make_unique<RoleSession>(
        *role,
        SessionHost{fold_, mailbox_, parts_.clock, parts_.random, parts_.options.instance,
                    [this](Proposal proposal, std::optional<Decision> decision, ProposalDone done) {
                      propose(std::move(proposal), decision, std::move(done));
                    }}));
  }
}

PartitionRunner::~PartitionRunner() {
  stop();
}

Status PartitionRunner::open() {
  ST_CHECK_OK(fold_.open());
  target_ = fold_.marks().high;
  subscription_ = parts_.log.subscribe(where_, [mailbox = mailbox_] { mailbox->wake(); });
  return {};
}

void PartitionRunner::start_thread() {
  thread_ = std::thread([this] { run(); });
}

void PartitionRunner::stop() {
  subscription_.reset();
  mailbox_->close();
  if (thread_.joinable()) thread_.join();
  // Roles first, so that none reacts to the end of its proposals.
  for (const auto& session : sessions_) session->unassign();
  proposals_.close({ErrorCode::cancelled, "the service is stopping", ""});
  // What was posted behind the last step ends here, on the thread that stops us.
  while (true) {
    const auto tasks = mailbox_->take_last();
    if (tasks.empty()) break;
    for (const auto& task : tasks) task();
  }
  for (const Waiter& waiter : std::exchange(waiters_, {})) {
    waiter.read(fold_, fold_.read_to() >= waiter.at_least);
  }
}

void PartitionRunner::run() {
  while (!mailbox_->closed()) {
    if (!step()) mailbox_->wait(idle_us());
  }
}

bool PartitionRunner::step() {
  bool worked = false;
  if (!introduced_) {
    introduced_ = true;
    for (Observer* observer : parts_.observers) observer->on_loaded(fold_);
  }
  // Before anybody reacts to anything by the new time.
  if (clock_was_set()) {
    for (const auto& session : sessions_) session->restart();
  }
  for (const auto& task : mailbox_->take()) {
    task();
    worked = true;
  }
  if (!failed_) worked |= fold_batch();
  currency_.look({parts_.clock.now(), parts_.clock.monotonic_us(), fold_.at_tail(), fold_.refused(),
                  fold_.state().meta.log_time, fold_.next()},
                 parts_.log);
  answer_waiters();
  sweep_sometimes();
  report_sometimes();
  skewed_ = fold_.state().meta.log_time > parts_.clock.now() + limits::kClockSkewMax;
  for (const auto& session : sessions_) {
    // What a wrong clock proposes would be void, and its timers run at the wrong time.
    if (skewed_) session->suspend();
    if (!failed_ && !skewed_) session->tick(caught_up_);
  }
  return worked;
}

// By more than clocks of a cluster may differ anyway. What a role has planned until then, it has
// planned by another clock: a timer would be a day late, or never have been due.
bool PartitionRunner::clock_was_set() {
  const std::int64_t offset = offset_ms(parts_.clock);
  if (std::abs(offset - clock_offset_ms_) <= limits::kClockSkewMax.count) return false;
  clock_offset_ms_ = offset;
  return true;
}

bool PartitionRunner::fold_batch() {
  FoldedBatch batch;
  const Status status = fold_.step(batch);
  if (!status.ok()) {
    fail(status.error());
    return false;
  }
  if (fold_.read_to() >= target_) caught_up_ = true;
  if (batch.records().empty()) return false;
  for (Observer* observer : parts_.observers) observer->on_committed(fold_, batch.records());
  proposals_.complete(batch.records());
  for (const auto& session : sessions_) session->on_committed(batch.records());
  return true;
}

void PartitionRunner::fail(const Error& error) {
  {
    const std::lock_guard lock(stopped_mutex_);
    stopped_because_ = error.text();
  }
  failed_ = true;
  for (const auto& session : sessions_) session->unassign();
  proposals_.close({ErrorCode::unavailable,
                    "the partition " + where_.text() + " has stopped: " + error.message,
                    "see the server's status"});
}

void PartitionRunner::answer_waiters() {
  if (waiters_.empty()) return;
  const std::int64_t now_us = parts_.clock.monotonic_us();
  std::vector<Waiter> due;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    if (fold_.read_to() < waiter.at_least && waiter.until_us > now_us && !failed_) return false;
    due.push_back(std::move(waiter));
    return true;
  });
  for (const Waiter& waiter : due) waiter.read(fold_, fold_.read_to() >= waiter.at_least);
}

void PartitionRunner::sweep_sometimes() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (!fold_.at_tail() || now_us - last_sweep_us_ < kSweepEveryUs) return;
  last_sweep_us_ = now_us;
  proposals_.sweep();
}

// What is reported may be trimmed away, so it must be safe in the store first.
void PartitionRunner::report_sometimes() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (parts_.options.group.empty() || failed_ || fold_.next() == reported_) return;
  if (now_us - last_report_us_ < kReportEveryUs) return;
  last_report_us_ = now_us;
  if (const Status synced = fold_.sync(); !synced.ok()) return fail(synced.error());
  reported_ = fold_.next();
  parts_.log.report(parts_.options.group, where_, reported_);
}

std::int64_t PartitionRunner::idle_us() const {
  const UnixMs now = parts_.clock.now();
  std::int64_t idle = kIdleUsMax;
  const auto consider = [&](UnixMs due) {
    idle = std::min(idle, std::max<std::int64_t>(0, (due - now).count) * 1000);
  };
  // Only where tick() is called; what ends the waiting otherwise wakes us.
  if (!failed_ && !skewed_ && caught_up_) {
    for (const auto& session : sessions_) {
      if (const auto due = session->next_due()) consider(*due);
    }
  }
  for (const Waiter& waiter : waiters_) {
    idle = std::min(idle, std::max<std::int64_t>(0, waiter.until_us - parts_.clock.monotonic_us()));
  }
  // Never zero: what is due is done by the next step, unless clocks differ by less than a tick.
  return std::max<std::int64_t>(idle, 500);
}

void PartitionRunner::propose(Proposal proposal, std::optional<Decision> decision,
                              ProposalDone done) {
  Event event;
  event.id = EventId::fresh(parts_.clock, parts_.random);
  event.time = parts_.clock.now();
  event.org = proposal.org;
  event.source = parts_.options.source;
  event.subject = std::move(proposal.subject);
  event.correlation = std::move(proposal.correlation);
  event.causation = std::move(proposal.causation);
  event.traceparent = std::move(proposal.traceparent);
  event.actor = std::move(proposal.actor);
  event.request_id = std::move(proposal.request_id);
  event.decision = decision;
  event.idempotency = std::move(proposal.idempotency);
  event.expected_version = proposal.expected_version;
  event.body = std::move(proposal.body);
  proposals_.propose(event, std::move(done));
}

bool PartitionRunner::offer(std::function<void(const PartitionView&)> read) {
  return mailbox_->offer([this, read = std::move(read)] { read(fold_); });
}

bool PartitionRunner::offer_at(Position at_least, Millis wait,
                               std::function<void(const PartitionView&, bool)> read) {
  return mailbox_->offer([this, at_least, wait, read = std::move(read)]() mutable {
    const std::int64_t until_us = parts_.clock.monotonic_us() + wait.count * 1000;
    waiters_.push_back({at_least, until_us, std::move(read)});
  });
}

void PartitionRunner::set_assigned(DeciderRole role, bool assigned) {
  for (const auto& session : sessions_) {
    if (session->status().role != enum_text(role)) continue;
    if (assigned) {
      session->assign();
    } else {
      session->unassign();
    }
  }
}

void PartitionRunner::unassign_all() {
  for (const auto& session : sessions_) session->unassign();
}

std::string PartitionRunner::not_ready_because() const {
  if (failed_) {
    const std::lock_guard lock(stopped_mutex_);
    return where_.text() + " has stopped: " + stopped_because_;
  }
  if (!caught_up_) return where_.text() + " is still folding the log";
  if (skewed_) return where_.text() + ": the clock is behind the log's time by over 30 s";
  return "";
}

PartitionStatus PartitionRunner::status() const {
  PartitionStatus out;
  out.where = where_;
  out.next = fold_.next();
  out.high = fold_.read_to() < fold_.marks().high ? fold_.marks().high : out.next;
  out.void_records = fold_.void_records();
  out.behind = currency_.behind(parts_.clock.now());
  out.log_time = fold_.state().meta.log_time;
  out.caught_up = caught_up_;
  out.digest = hex(fold_.digest());
  {
    const std::lock_guard lock(stopped_mutex_);
    out.stopped = stopped_because_;
  }
  for (const auto& session : sessions_) out.roles.push_back(session->status());
  for (const auto& [role, row] : fold_.state().owners.rows()) {
    out.owners.push_back(
        {role, row.epoch, row.instance, row.since, parked_of(fold_.state(), role)});
  }
  return out;
}

}  // namespace sandtrail
