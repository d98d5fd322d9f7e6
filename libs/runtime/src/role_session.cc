// SPDX-License-Identifier: Apache-2.0
#include "role_session.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail {
namespace {

constexpr std::int64_t kClaimRetryUs = 2'000'000;
constexpr std::int64_t kBackOffFirstMs = 50;
constexpr std::int64_t kBackOffLastMs = 30'000;

}  // namespace

RoleSession::RoleSession(Role& role, SessionHost host) : role_(role), host_(std::move(host)) {}

RoleSession::~RoleSession() {
  stop_acting();
}

void RoleSession::assign() {
  assigned_ = true;
  claim_not_before_us_ = 0;
}

void RoleSession::unassign() {
  assigned_ = false;
  stop_acting();
}

void RoleSession::stop_acting() {
  if (alive_) *alive_ = false;
  alive_.reset();
  part_.reset();
  running_.clear();
  turned_away_ = false;
  timers_.clear();
  due_.clear();
  epoch_ = 0;
}

bool RoleSession::may_claim() const {
  return assigned_ && !part_ && !claiming_;
}

void RoleSession::tick(bool caught_up) {
  if (caught_up && may_claim() && claim_not_before_us_ <= host_.clock.monotonic_us()) claim();
  if (part_) run_due_timers();
}

void RoleSession::claim() {
  claiming_ = true;
  claim_not_before_us_ = host_.clock.monotonic_us() + kClaimRetryUs;
  OwnerClaimed claimed;
  claimed.role = role_.name();
  claimed.epoch = state().epoch_of(role_.name()) + 1;
  claimed.instance = host_.instance;
  claimed.digest_position = host_.fold.next().value - 1;
  claimed.digest.bytes = host_.fold.digest();
  Proposal proposal;
  proposal.subject = role_name();
  proposal.body = claimed;
  host_.propose(
      std::move(proposal), std::nullopt,
      [this, epoch = claimed.epoch, restarts = restarts_](const ProposalOutcome& outcome) {
        claiming_ = false;
        if (restarts != restarts_) return;
        // A later claim of another process may stand in the same batch.
        const bool ours = state().epoch_of(role_.name()) == epoch;
        if (outcome.applied() && assigned_ && ours) become_live(epoch);
      });
}

void RoleSession::become_live(std::int64_t epoch) {
  epoch_ = epoch;
  live_since_ = host_.fold.next();
  alive_ = std::make_shared<bool>(true);
  part_ = role_.open(*this);
  part_->resume();
}

void RoleSession::on_committed(const std::vector<Folded>& batch) {
  if (!part_) return;
  if (state().epoch_of(role_.name()) != epoch_) {
    stop_acting();
    return;
  }
  if (batch.back().position < live_since_) return;
  const bool released = std::any_of(batch.begin(), batch.end(), [this](const Folded& folded) {
    const auto* resolved = folded.applied_as<EffectResolved>();
    return resolved != nullptr && resolved->role == role_.name();
  });
  part_->on_committed(batch);
  if (released && part_) part_->resume();
}

void RoleSession::propose(Proposal proposal, ProposalDone done) {
  host_.propose(std::move(proposal), Decision{role_.name(), epoch_},
                [this, alive = alive_, done = std::move(done)](const ProposalOutcome& outcome) {
                  if (!*alive) return;
                  // Fenced within the batch that holds our record: what it decided is another's to
                  // carry out.
                  if (state().epoch_of(role_.name()) != epoch_) return stop_acting();
                  done(outcome);
                  // After anything but a commit in order nobody knows what of ours is still on its
                  // way: a new epoch voids it. What can't be written never was on its way.
                  const bool sure =
                      outcome.folded || outcome.error.code == ErrorCode::invalid_argument;
                  if (!sure && *alive) stop_acting();
                });
}

bool RoleSession::parked(const std::string& id) const {
  return state().parked.find(role_name() + "/" + id) != nullptr;
}

void RoleSession::effect(const std::string& id, Effect effect) {
  if (running_.contains(id) || parked(id)) return;
  if (running_.size() >= limits::kEffectsInFlightMax) {
    // The state still says that it is pending: resume() will ask again.
    turned_away_ = true;
    return;
  }
  running_[id] = {std::move(effect), 0};
  run_effect(id);
}

void RoleSession::run_effect(const std::string& id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  const Effect effect = found->second.effect;
  effect([this, id, alive = alive_, mailbox = host_.mailbox](const Status& status) {
    mailbox->post([this, id, alive, status] {
      if (*alive) effect_ended(id, status);
    });
  });
}

void RoleSession::forget_effect(const std::string& id) {
  running_.erase(id);
  if (!turned_away_ || running_.size() > limits::kEffectsInFlightMax / 2) return;
  turned_away_ = false;
  // Not from here: the role may be in the midst of asking for effects.
  host_.mailbox->post([this, alive = alive_] {
    if (*alive) part_->resume();
  });
}

void RoleSession::effect_ended(const std::string& id, const Status& status) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  if (status.ok()) return forget_effect(id);
  const int failures = ++found->second.failures;
  if (!status.error().retryable() && failures >= limits::kEffectTriesMax) {
    park(id, status.error());
    return;
  }
  at(now() + back_off(failures), "effect/" + id, [this, id] { run_effect(id); });
}

void RoleSession::park(const std::string& id, const Error& error) {
  Proposal proposal;
  proposal.subject = id;
  proposal.body = EffectParked{id, error.text()};
  propose(std::move(proposal), [this, id](const ProposalOutcome&) { forget_effect(id); });
}

void RoleSession::decide(const std::string& id, std::function<std::optional<Proposal>()> make) {
  effect(id, [this, make = std::move(make)](const EffectDone& done) {
    std::optional<Proposal> proposal = make();
    if (!proposal) return done({});
    propose(std::move(*proposal), [done](const ProposalOutcome& outcome) {
      if (outcome.applied()) return done({});
      if (!outcome.folded) return done(outcome.error);
      if (outcome.void_for_its_time()) return done(outcome.settled());
      done(Error{ErrorCode::conflict, "void: " + std::string(enum_text(outcome.judgement.reason)),
                 ""});
    });
  });
}

Millis RoleSession::back_off(int failures) {
  const std::int64_t step = kBackOffFirstMs << std::min(failures, 12);
  const std::int64_t bounded = std::min(step, kBackOffLastMs);
  // Half fixed, half random, so that what failed together does not return together.
  return {bounded / 2 + static_cast<std::int64_t>(
                            host_.random.below(static_cast<std::uint64_t>(bounded / 2 + 1)))};
}

void RoleSession::at(UnixMs due, const std::string& key, std::function<void()> run) {
  cancel(key);
  timers_[key] = {due, std::move(run)};
  due_.emplace(due, key);
}

void RoleSession::cancel(const std::string& key) {
  const auto found = timers_.find(key);
  if (found == timers_.end()) return;
  due_.erase({found->second.first, key});
  timers_.erase(found);
}

void RoleSession::run_due_timers() {
  const UnixMs now = host_.clock.now();
  while (part_ && !due_.empty() && due_.begin()->first <= now) {
    const std::string key = due_.begin()->second;
    const auto run = std::move(timers_.at(key).second);
    cancel(key);
    run();
  }
}

std::optional<UnixMs> RoleSession::next_due() const {
  if (may_claim()) {
    const std::int64_t left_us = claim_not_before_us_ - host_.clock.monotonic_us();
    return host_.clock.now() + Millis{std::max<std::int64_t>(0, left_us / 1000)};
  }
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::function<void()> RoleSession::guard(std::function<void()> run) {
  return [alive = alive_, mailbox = host_.mailbox, run = std::move(run)] {
    mailbox->post([alive, run] {
      if (*alive) run();
    });
  };
}

RoleStatus RoleSession::status() const {
  RoleStatus out;
  out.role = role_name();
  out.assigned = assigned_;
  out.live = part_ != nullptr;
  out.epoch = epoch_;
  out.effects_running = running_.size();
  out.effects_parked = parked_of(state(), out.role);
  return out;
}

std::size_t parked_of(const CoreState& state, const std::string& role) {
  const std::string prefix = role + "/";
  std::size_t out = 0;
  for (const auto& [key, row] : state.parked.rows()) {
    if (key.starts_with(prefix) && !row.skipped) ++out;
  }
  return out;
}

}  // namespace sandtrail
