// SPDX-License-Identifier: Apache-2.0
#include "launcher_partition.h"

#include "base/limits.h"
#include "domain/rating.h"
#include "launcher_projection.h"

namespace sandtrail {
namespace {

constexpr Millis kLookAgain = seconds(5);
// A host that is full says so at once: asking again at once would fill the log.
constexpr Millis kAfterRefusal = seconds(1);
constexpr const char* kUnreadable = "the input cannot be read";

bool held_by_host(const ExecutionRow& row) {
  return row.status == ExecutionStatus::assigned || row.status == ExecutionStatus::started;
}

}  // namespace

LauncherPartition::LauncherPartition(RoleContext& context, Hosts& hosts, Payloads& payloads,
                                     Executor executor)
    : context_(context),
      hosts_(hosts),
      payloads_(payloads),
      executor_(std::move(executor)),
      live_since_(context.now()) {
  Hosts::Listener listener;
  // guard() is made once for each report, since it carries the report.
  auto inbox = std::make_shared<std::pair<std::mutex, std::vector<HostReport>>>();
  auto drain = context_.guard([this, inbox] {
    std::vector<HostReport> reports;
    {
      const std::lock_guard lock(inbox->first);
      reports.swap(inbox->second);
    }
    for (const HostReport& report : reports) on_report(report);
  });
  listener.on_report = [inbox, drain](HostReport report) {
    {
      const std::lock_guard lock(inbox->first);
      inbox->second.push_back(std::move(report));
    }
    drain();
  };
  listener.on_slot_free = context_.guard([this] { schedule(); });
  hosts_.attach(context_.where(), std::move(listener));
}

LauncherPartition::~LauncherPartition() {
  hosts_.detach(context_.where());
  for (const auto& [execution, host] : slots_) hosts_.release(host);
}

void LauncherPartition::resume() {
  for (const auto& [id, row] : context_.state().executions.rows()) take_up(id, row);
  hosts_.resend();
  schedule();
}

// Goes on with an execution as the state shows it. Harmless when repeated.
void LauncherPartition::take_up(const ExecutionId& id, const ExecutionRow& row) {
  if (row.status == ExecutionStatus::requested) {
    if (row.cancel_requested) {
      decide_cancelled(id);
    } else if (!in_flight_.contains(id)) {
      enqueue(id, row);
    }
    return;
  }
  if (!held_by_host(row) || launched_.contains(id)) return;
  Host* host = hosts_.find(row.host, row.host_epoch);
  if (host != nullptr && host->holds(id, row.attempt)) {
    if (slots_.emplace(id, row.host).second) hosts_.occupy(row.host);
    launched_.insert(id);
    if (row.cancel_requested) host->cancel(id, row.attempt);
    return;
  }
  if (host != nullptr && row.status == ExecutionStatus::assigned) {
    // Never handed over: a role before us was lost in between. Or refused: then it is again.
    if (slots_.emplace(id, row.host).second) hosts_.occupy(row.host);
    launch(id);
    return;
  }
  if (host != nullptr || hosts_.replaced(row.host, row.host_epoch)) {
    // Its host started anew since and reaped whatever was left.
    give_up(id, "the host restarted");
    return;
  }
  // The host may yet come back within its lease, with the attempt.
  const UnixMs until = live_since_ + limits::kHostLease + limits::kHostLeaseMargin;
  context_.at(until, "lease/" + id.text(), [this, id] {
    const ExecutionRow* now = find(id);
    if (now == nullptr || !held_by_host(*now)) return;
    if (hosts_.find(now->host, now->host_epoch) == nullptr) give_up(id, "the host is gone");
  });
}

void LauncherPartition::enqueue(const ExecutionId& id, const ExecutionRow& row) {
  queue_.add(row.org, row.position, id);
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
    } else if (Host* host = hosts_.find(row->host, row->host_epoch)) {
      host->cancel(cancel->execution, row->attempt);
    }
  } else if (const auto* refused = folded.applied_as<ExecutionRefused>()) {
    ended(refused->execution, refused->attempt);
    context_.at(context_.now() + kAfterRefusal, "refused/" + refused->execution.text(),
                [this, id = refused->execution] {
                  if (const auto* row = find(id)) take_up(id, *row);
                  schedule();
                });
  } else if (const auto* attempt_lost = folded.applied_as<ExecutionAttemptLost>()) {
    ended(attempt_lost->execution, attempt_lost->attempt);
    if (const auto* row = find(attempt_lost->execution)) take_up(attempt_lost->execution, *row);
  } else if (const auto* finished = folded.applied_as<ExecutionFinished>()) {
    ended(finished->execution, finished->attempt);
  } else if (const auto* lost = folded.applied_as<ExecutionLost>()) {
    ended(lost->execution, lost->attempt);
  }
}

void LauncherPartition::ended(const ExecutionId& id, std::int64_t attempt) {
  if (const auto* row = find(id)) {
    if (Host* host = hosts_.find(row->host, row->host_epoch)) host->acknowledge(id, attempt);
  }
  launched_.erase(id);
  free_slot(id);
}

void LauncherPartition::free_slot(const ExecutionId& id) {
  const auto found = slots_.find(id);
  if (found == slots_.end()) return;
  const HostId host = found->second;
  slots_.erase(found);
  hosts_.release(host);
}

void LauncherPartition::schedule() {
  waits_for_slot_ = false;
  bool progress = true;
  while (progress && !queue_.empty()) {
    progress = false;
    for (const OrgId& org : queue_.turn()) {
      while (queue_.waits(org) && schedule_next_of(org)) {
        progress = true;
        queue_.served(org);
        // One each, in turn, as long as several wait.
        if (queue_.turn().size() > 1) break;
      }
    }
  }
  if (!waits_for_slot_) hosts_.leave_line(context_.where());
  if (!queue_.empty()) look_again_later();
}

// False if the organisation's oldest has to go on waiting.
bool LauncherPartition::schedule_next_of(const OrgId& org_id) {
  const ExecutionId id = queue_.first(org_id);
  const ExecutionRow* row = find(id);
  if (row == nullptr || row->status != ExecutionStatus::requested) {
    queue_.drop_first(org_id);
    return true;
  }
  const OrgRow& org = *context_.state().orgs.find(org_id);
  std::int64_t running = org.running;
  std::int64_t holds = 0;
  for (const auto& [execution, flight] : in_flight_) {
    if (flight.org != org_id) continue;
    ++running;
    holds += flight.hold.count;
  }
  if (context_.now() - row->requested > limits::kQueueWaitMax) {
    queue_.remove(org_id, row->position, id);
    reject(id, RejectReason::queue_timeout, "no host had a free slot in time");
    return true;
  }
  const std::string language = language_of(id);
  if (!hosts_.supports(language)) {
    queue_.remove(org_id, row->position, id);
    reject(id, RejectReason::unsupported, "no host can run this language");
    return true;
  }
  if (running >= org.limits.running_max) return false;
  MicroCredits hold = row->hold;
  if (row->attempt == 0) {
    const RateCard* card = context_.state().card(context_.state().meta.rate_card);
    if (card == nullptr) return false;
    hold = worst_case(*card, row->limits);
    if (hold > org.available()) {
      queue_.remove(org_id, row->position, id);
      reject(id, RejectReason::insufficient_credits,
             "the worst case costs more than what is available");
      return true;
    }
    // What is in flight may yet be void: wait for it before saying no.
    if (holds + hold.count > org.available().count) return false;
  }
  const auto host = hosts_.reserve(context_.where(), language);
  if (!host) {
    waits_for_slot_ = true;
    return false;
  }
  queue_.remove(org_id, row->position, id);
  slots_[id] = host->id;
  assign(id, *row, *host, hold);
  return true;
}

void LauncherPartition::assign(const ExecutionId& id, const ExecutionRow& row, const HostInfo& host,
                               MicroCredits hold) {
  ExecutionAssigned assigned;
  assigned.execution = id;
  assigned.attempt = row.attempt + 1;
  assigned.host = host.id;
  assigned.host_epoch = host.epoch;
  assigned.host_address = host.address;
  assigned.hold = hold;
  assigned.rate_card = row.attempt == 0 ? context_.state().meta.rate_card : row.rate_card;
  in_flight_[id] = {row.org, row.attempt == 0 ? hold : MicroCredits{}};
  context_.propose(about(id, row, assigned), [this, id, host](const ProposalOutcome& outcome) {
    after_assign(id, host, outcome);
  });
}

void LauncherPartition::after_assign(const ExecutionId& id, const HostInfo&,
                                     const ProposalOutcome& outcome) {
  in_flight_.erase(id);
  if (outcome.applied()) {
    launch(id);
    return;
  }
  free_slot(id);
  // Whatever changed meanwhile (cancelled, another rate card, fewer credits) shows in the state.
  if (const auto* row = find(id); row != nullptr && outcome.folded) take_up(id, *row);
  look_again_later();
}

// The assignment is applied: hands it to its host.
void LauncherPartition::launch(const ExecutionId& id) {
  const ExecutionRow* row = find(id);
  // The batch that holds the assignment may hold more.
  if (row == nullptr || !held_by_host(*row)) return;
  const std::string effect_id = "launch/" + id.text() + "/" + std::to_string(row->attempt);
  context_.effect(effect_id, [this, id, attempt = row->attempt](const EffectDone& done) {
    prepare(id, attempt, done);
  });
}

// The input is read where blocking is allowed, and again if the stores are away.
void LauncherPartition::prepare(const ExecutionId& id, std::int64_t attempt,
                                const EffectDone& done) {
  const ExecutionRow* row = find(id);
  if (row == nullptr || !held_by_host(*row) || row->attempt != attempt) return done({});
  const auto stored = context_.rows(kLauncherProjection).get(id.view());
  const auto parsed = stored ? json::parse(*stored) : Result<json::value>(json::value());
  auto launch_row = from_json<LaunchRow>(parsed.ok() ? *parsed : json::value());
  if (!launch_row.ok()) {
    give_up(id, kUnreadable);
    return done({});
  }
  auto order = std::make_shared<LaunchOrder>();
  order->org = row->org;
  order->execution = id;
  order->attempt = attempt;
  order->host_epoch = row->host_epoch;
  order->language = launch_row->language;
  order->limits = row->limits;
  order->input = std::move(launch_row->input);
  auto loaded = std::make_shared<Status>();
  const auto go_on = context_.guard([this, order, loaded, done] {
    hand_over(*order, *loaded);
    done({});
  });
  executor_([order, loaded, go_on, done, &payloads = payloads_] {
    auto input = payloads.load(order->input);
    auto key = payloads.keyring().get(order->input.key);
    if (input.ok() && key.ok()) {
      order->input = std::move(input).value();
      order->key = std::move(key).value();
    } else {
      *loaded = input.ok() ? key.error() : input.error();
      if (loaded->error().retryable()) return done(*loaded);
    }
    go_on();
  });
}

void LauncherPartition::hand_over(LaunchOrder& order, const Status& loaded) {
  const ExecutionId id = order.execution;
  const ExecutionRow* row = find(id);
  if (row == nullptr || !held_by_host(*row) || row->attempt != order.attempt) return;
  Host* host = hosts_.find(row->host, row->host_epoch);
  if (!loaded.ok() || host == nullptr) {
    give_up(id, loaded.ok() ? "the host is gone" : kUnreadable);
    return;
  }
  const std::int64_t attempt = order.attempt;
  launched_.insert(id);
  host->launch(std::move(order));
  // Asked for while the input was read: the host did not know the attempt yet.
  if (row->cancel_requested) host->cancel(id, attempt);
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

void LauncherPartition::decide_cancelled(const ExecutionId& id) {
  context_.decide("cancel/" + id.text(), [this, id]() -> std::optional<Proposal> {
    const auto* row = find(id);
    if (row == nullptr || row->status != ExecutionStatus::requested) return std::nullopt;
    return about(id, *row, ExecutionCancelled{id});
  });
}

void LauncherPartition::on_report(const HostReport& report) {
  const ExecutionRow* row = find(report.execution);
  const bool current = row != nullptr && held_by_host(*row) && row->attempt == report.attempt &&
                       row->host == report.host;
  if (!current) {
    // Already applied, or of an attempt that counts for nothing any more.
    const auto epoch = std::visit([](const auto& what) { return what.host_epoch; }, report.what);
    Host* host = hosts_.find(report.host, epoch);
    if (host == nullptr) return;
    if (std::holds_alternative<ExecutionFinished>(report.what)) {
      host->acknowledge(report.execution, report.attempt);
    } else if (row == nullptr || row->attempt != report.attempt || !held_by_host(*row)) {
      host->cancel(report.execution, report.attempt);
    }
    return;
  }
  append_report(report);
}

void LauncherPartition::append_report(const HostReport& report) {
  const std::string kind = std::to_string(report.what.index());
  const std::string effect_id =
      "report/" + report.execution.text() + "/" + std::to_string(report.attempt) + "/" + kind;
  auto body = std::make_shared<EventBody>(
      std::visit([](const auto& what) { return EventBody(what); }, report.what));
  context_.effect(effect_id, [this, id = report.execution, attempt = report.attempt, body,
                              &payloads = payloads_](const EffectDone& done) {
    const auto append = context_.guard([this, id, attempt, body, done] {
      const ExecutionRow* row = find(id);
      if (row == nullptr || !held_by_host(*row) || row->attempt != attempt) return done({});
      context_.propose(about(id, *row, *body), [done](const ProposalOutcome& outcome) {
        // Void: the state has moved on, and nothing is left to say.
        done(outcome.folded ? Status() : Status(outcome.error));
      });
    });
    auto* finished = std::get_if<ExecutionFinished>(body.get());
    if (finished == nullptr || !finished->payload) return append();
    executor_([finished, append, done, attempt, body, &payloads] {
      auto stored =
          payloads.store_if_large(*finished->payload, {"output", std::to_string(attempt)});
      if (!stored.ok()) return done(stored.error());
      finished->payload = std::move(stored).value();
      append();
    });
  });
}

void LauncherPartition::look_again_later() {
  context_.at(context_.now() + kLookAgain, "look-again", [this] { schedule(); });
}

std::string LauncherPartition::language_of(const ExecutionId& id) const {
  const auto stored = context_.rows(kLauncherProjection).get(id.view());
  if (!stored) return "";
  const auto parsed = json::parse(*stored);
  if (!parsed.ok() || !parsed->is_object()) return "";
  return std::string(json::text_at(parsed->get_object(), "language"));
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
