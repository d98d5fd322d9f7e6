// SPDX-License-Identifier: Apache-2.0
#include "sim_host.h"

#include "domain/payloads.h"
#include "sealing/payload.h"

namespace sandtrail::sim {
namespace {

constexpr Millis kResendEvery = seconds(5);
constexpr std::int64_t kOverrunMsMax = 500;  // past the time limit, until the kill has worked

}  // namespace

SimHost::SimHost(HostId id, std::int64_t epoch, int slots, const Clock& clock, Random& random,
                 std::function<void(const Launch&)> on_launch)
    : id_(id),
      epoch_(epoch),
      slots_(slots),
      clock_(clock),
      random_(random),
      on_launch_(std::move(on_launch)) {}

HostInfo SimHost::info() const {
  HostInfo info;
  info.id = id_;
  info.epoch = epoch_;
  info.slots = slots_;
  info.isolation = "process";
  info.languages = {"python"};
  return info;
}

bool SimHost::chance(unsigned in_a_thousand) {
  return in_a_thousand > 0 && random_.below(1000) < in_a_thousand;
}

HostReport SimHost::report_on(const LaunchOrder& order) const {
  HostReport report;
  report.partition = order.by.partition;
  report.execution = order.execution;
  report.attempt = order.attempt;
  report.host = id_;
  return report;
}

void SimHost::send_at(UnixMs when, HostReport report) {
  if (chance(faults_.repeats)) outbox_.emplace(when + Millis{700}, report);
  outbox_.emplace(when, std::move(report));
}

void SimHost::launch(LaunchOrder order) {
  const Key key{order.execution, order.attempt};
  if (!obeys(order.by) || order.host_epoch != epoch_ || holds(key)) return;
  const UnixMs now = clock_.now();
  if (refused_.contains(key) || static_cast<int>(running_.size()) >= slots_ ||
      chance(faults_.refuses)) {
    refused_[key] = "full";
    HostReport refused = report_on(order);
    refused.what = ExecutionRefused{order.execution, order.attempt, order.host_epoch, "full"};
    return send_at(now + Millis{static_cast<std::int64_t>(random_.below(50))}, std::move(refused));
  }
  on_launch_({order.execution, order.attempt, id_, epoch_});
  auto text = open_inline(order.key, {"input", ""}, order.input);
  if (!text.ok()) ++unreadable_;
  const Millis boot{static_cast<std::int64_t>(random_.below(100))};
  const auto most = static_cast<std::uint64_t>(order.limits.wall_ms + kOverrunMsMax);
  const Millis takes{faults_.runs_to_limit ? order.limits.wall_ms
                                           : static_cast<std::int64_t>(random_.below(most))};
  const UnixMs ends = {now.count + boot.count + takes.count};
  if (!chance(faults_.never_starts)) {
    HostReport started = report_on(order);
    started.what = ExecutionStarted{order.execution, order.attempt, order.host_epoch};
    send_at(now + boot, std::move(started));
  }
  running_[key] = {std::move(order), now + boot, ends, false};
}

void SimHost::finish(const Key& key) {
  const Running& running = running_.at(key);
  const LaunchOrder& order = running.order;
  ExecutionFinished event;
  event.execution = order.execution;
  event.attempt = order.attempt;
  event.host_epoch = order.host_epoch;
  const std::int64_t wall_ms = std::max<std::int64_t>(0, (clock_.now() - running.started_at).count);
  event.usage.wall_us = wall_ms * 1000;
  event.verdict = running.cancelled                ? Verdict::cancelled
                  : wall_ms > order.limits.wall_ms ? Verdict::timeout
                                                   : Verdict::ok;
  event.cause = "exit";
  event.decided_by = "program";
  event.isolation = "process";
  // Now and then large enough for the object store.
  const Bytes text = json::print(
      to_json(ExecutionOutput{{Bytes(random_.below(8) == 0 ? 60'000 : 20, 'o')}, {"err"}}));
  event.payload = seal_inline(order.key, order.input.key, {"output", std::to_string(order.attempt)},
                              text, random_);
  HostReport report = report_on(order);
  report.what = std::move(event);
  running_.erase(key);
  kept_[key] = report;
  if (!chance(faults_.loses_report)) send_at(clock_.now(), std::move(report));
}

void SimHost::tick() {
  const UnixMs now = clock_.now();
  std::vector<Key> over;
  for (const auto& [key, running] : running_) {
    if (running.ends_at <= now) over.push_back(key);
  }
  for (const Key& key : over) finish(key);
  if (resend_at_ <= now) {
    resend_at_ = now + kResendEvery;
    resend();
  }
  while (!outbox_.empty() && outbox_.begin()->first <= now) {
    HostReport report = std::move(outbox_.begin()->second);
    outbox_.erase(outbox_.begin());
    if (events_ != nullptr) events_->on_report(std::move(report));
  }
}

bool SimHost::obeys(const OrderAuthority& by) {
  std::int64_t& newest = owners_[by.partition];
  if (by.owner_epoch < newest) return false;
  newest = by.owner_epoch;
  return true;
}

void SimHost::cancel(const OrderAuthority& by, const ExecutionId& execution, std::int64_t attempt) {
  const auto found = running_.find({execution, attempt});
  if (!obeys(by) || found == running_.end()) return;
  found->second.cancelled = true;
  found->second.ends_at = std::min(found->second.ends_at, clock_.now() + Millis{20});
}

void SimHost::acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                          std::int64_t attempt) {
  if (obeys(by)) kept_.erase({execution, attempt});
}

void SimHost::take_over(const OrderAuthority& by) {
  if (!obeys(by)) return;
  if (events_ != nullptr) events_->on_taken_over(id_, by.partition);
  resend();
}

Holding SimHost::holding(std::int32_t, const ExecutionId& execution, std::int64_t attempt) const {
  return holds({execution, attempt}) ? Holding::yes : Holding::no;
}

void SimHost::resend() {
  for (const auto& [key, report] : kept_) outbox_.emplace(clock_.now(), report);
}

}  // namespace sandtrail::sim
