// SPDX-License-Identifier: Apache-2.0
// Who runs next, and where.
#include "base/limits.h"
#include "codec/text.h"
#include "domain/rating.h"
#include "launcher_partition.h"
#include "launcher_projection.h"

namespace sandtrail {
namespace {

constexpr Millis kLookAgain = seconds(5);
constexpr const char* kUnreadable = "the input cannot be read";

bool gone_for_good(const Error& error) {
  return error.code == ErrorCode::not_found || error.code == ErrorCode::corrupt;
}

}  // namespace

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
  if (!waits_for_slot_) hosts_.leave_line(context_.where().partition);
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
  if (!hosts_.may_support(language)) {
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
  const auto host = hosts_.reserve(context_.where().partition, language);
  if (!host) {
    waits_for_slot_ = true;
    return false;
  }
  queue_.remove(org_id, row->position, id);
  held_[id] = Held{host->id, false, "", false, false};
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
  context_.propose(about(id, row, assigned),
                   [this, id](const ProposalOutcome& outcome) { after_assign(id, outcome); });
}

void LauncherPartition::after_assign(const ExecutionId& id, const ProposalOutcome& outcome) {
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
  auto launch_row = from_text<LaunchRow>(stored.value_or(""));
  if (!launch_row.ok()) {
    give_up(id, kUnreadable);
    return done({});
  }
  auto order = std::make_shared<LaunchOrder>();
  order->by = authority();
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
      // An attempt is given up for what is gone for good, not for what an operator can put right.
      if (!gone_for_good(loaded->error())) return done(*loaded);
    }
    go_on();
  });
}

void LauncherPartition::hand_over(LaunchOrder& order, const Status& loaded) {
  const ExecutionId id = order.execution;
  const ExecutionRow* row = find(id);
  if (row == nullptr || !held_by_host(*row) || row->attempt != order.attempt) return;
  // Given up as never started: from here on it must not start.
  if (const auto held = held_.find(id); held != held_.end() && held->second.never_sent) return;
  if (!loaded.ok() || order.input.sealed.bytes.size() > limits::kHostInputBytesMax) {
    return give_up(id, kUnreadable);
  }
  const auto host = hosts_.find(row->host);
  if (host == nullptr) return on_never_sent(id, order.attempt);
  const std::int64_t attempt = order.attempt;
  hold_slot(id, row->host);
  watch(id, *row);
  host->launch(std::move(order));
  // Asked for while the input was read: the host did not know the attempt yet.
  if (row->cancel_requested) host->cancel(authority(), id, attempt);
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

}  // namespace sandtrail
