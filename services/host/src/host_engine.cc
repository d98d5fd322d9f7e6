// SPDX-License-Identifier: Apache-2.0
#include "host/host_engine.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "codec/text.h"
#include "obs/log.h"
#include "sandbox_spec.h"
#include "sealing/payload.h"
#include "seen_attempts.h"

namespace sandtrail {
namespace {

using AttemptKey = SeenAttempts::Key;

constexpr std::size_t kReportBytes = 4096;  // of a result beside its payload, roughly

// The kept output as JSON: two texts in base64, sealed.
std::size_t result_bytes_max(const ExecutionLimits& limits) {
  return static_cast<std::size_t>(limits.output_bytes) / 3 * 8 + kReportBytes;
}

std::size_t result_bytes(const HostReport& report) {
  const auto& finished = std::get<ExecutionFinished>(report.what);
  return (finished.payload ? finished.payload->sealed.bytes.size() : 0) + kReportBytes;
}

bool valid(const OrderAuthority& by) {
  return by.partition >= 0 && by.partition < limits::kEventsPartitionsMax && by.owner_epoch > 0;
}

}  // namespace

struct HostEngine::State : std::enable_shared_from_this<HostEngine::State> {
  State(SandboxDriver& d, Random& r, HostEngineOptions o)
      : driver(d), random(r), options(std::move(o)), epoch(options.epoch) {}

  struct Running {
    std::int32_t partition = 0;
    std::int64_t host_epoch = 0;
    std::size_t reserved_bytes = 0;
    std::shared_ptr<SandboxHandle> handle;  // null until the driver has returned it
    bool started = false;
    KillReason stop = KillReason::none;  // asked for before there was a handle
    bool discarded = false;
  };
  struct Owner {
    std::int64_t epoch = 0;
    Route route = 0;
  };

  SandboxDriver& driver;
  Random& random;
  const HostEngineOptions options;
  mutable std::mutex mutex;
  std::condition_variable changed;
  Sink sink;
  std::int64_t epoch;
  bool draining = false;
  bool fenced = false;
  std::map<AttemptKey, Running> running;
  std::size_t reserved_bytes = 0;         // for results of what runs
  std::map<AttemptKey, HostReport> kept;  // until acknowledged
  SeenAttempts seen;
  std::map<std::int32_t, Owner> owners;  // by partition
  HostCounts counted;
  int sending = 0;  // calls of the sink

  HostReport report_on(const LaunchOrder& order) const;
  void send(const HostReport& report);
  bool authorise(Route route, const OrderAuthority& by, std::string_view what);
  bool holds(const AttemptKey& key) const { return running.contains(key) || kept.contains(key); }
  std::string refusal(const LaunchOrder& order) const;
  bool take(Route route, const LaunchOrder& order, std::optional<std::string>& refused);
  void leave(const AttemptKey& key);
  void refuse(const LaunchOrder& order, std::string reason);
  void start(const std::shared_ptr<LaunchOrder>& order, SandboxSpec spec);
  void on_started(const LaunchOrder& order);
  void end_live_output(const LaunchOrder& order);
  void on_exit(const LaunchOrder& order, SandboxExit exit);
  Result<SandboxSpec> spec_of(const LaunchOrder& order) const;
};

HostReport HostEngine::State::report_on(const LaunchOrder& order) const {
  HostReport report;
  report.partition = order.by.partition;
  report.execution = order.execution;
  report.attempt = order.attempt;
  report.host = options.id;
  return report;
}

void HostEngine::State::send(const HostReport& report) {
  Sink to;
  Route route = 0;
  {
    const std::lock_guard lock(mutex);
    if (!sink) return;
    to = sink;
    const auto owner = owners.find(report.partition);
    if (owner != owners.end()) route = owner->second.route;
    ++sending;
  }
  to(route, report);
  const std::lock_guard lock(mutex);
  --sending;
  changed.notify_all();
}

// Under the lock. A later epoch announces itself by any order.
bool HostEngine::State::authorise(Route route, const OrderAuthority& by, std::string_view what) {
  if (!valid(by)) return false;
  Owner& owner = owners[by.partition];
  if (by.owner_epoch < owner.epoch) {
    ++counted.stale_orders;
    log_warn("order of a replaced launcher dropped", {{"order", what},
                                                      {"partition", by.partition},
                                                      {"owner_epoch", by.owner_epoch},
                                                      {"newest_epoch", owner.epoch}});
    return false;
  }
  owner = {by.owner_epoch, route};
  return true;
}

// Under the lock. Why there is no room for it; empty: there is.
std::string HostEngine::State::refusal(const LaunchOrder& order) const {
  if (draining || fenced) return "the host is about to end";
  if (static_cast<int>(running.size()) >= options.slots) return "no free slot";
  const std::size_t bytes = counted.kept_bytes + reserved_bytes + result_bytes_max(order.limits);
  if (kept.size() + running.size() >= options.kept_results_max || bytes > options.kept_bytes_max) {
    return "too many results wait to be applied";
  }
  return "";
}

// Decides about a launch in one step. False: it is to be dropped, or `refused` with that reason.
bool HostEngine::State::take(Route route, const LaunchOrder& order,
                             std::optional<std::string>& refused) {
  const std::lock_guard lock(mutex);
  if (!check(order.limits, "").empty()) return false;
  if (!authorise(route, order.by, "launch")) return false;
  if (order.host_epoch != epoch) {
    // Whatever became of it in that epoch, this one does not know it.
    ++counted.stale_orders;
    log_warn("order for an earlier epoch of this host dropped",
             {{"execution", order.execution}, {"host_epoch", order.host_epoch}});
    return false;
  }
  const AttemptKey key{order.execution, order.attempt};
  if (holds(key)) return false;
  if (seen.contains(key)) {
    if (!seen.refusal(key).empty()) refused = seen.refusal(key);
    return false;
  }
  std::string reason = refusal(order);
  seen.add(key, reason);
  if (!reason.empty()) {
    refused = std::move(reason);
    return false;
  }
  Running entry;
  entry.partition = order.by.partition;
  entry.host_epoch = order.host_epoch;
  entry.reserved_bytes = result_bytes_max(order.limits);
  reserved_bytes += entry.reserved_bytes;
  running.emplace(key, std::move(entry));
  return true;
}

// Under the lock: the attempt does not run any more.
void HostEngine::State::leave(const AttemptKey& key) {
  const auto found = running.find(key);
  if (found == running.end()) return;
  reserved_bytes -= found->second.reserved_bytes;
  running.erase(found);
  changed.notify_all();
}

Result<SandboxSpec> HostEngine::State::spec_of(const LaunchOrder& order) const {
  ST_ASSIGN(Bytes text, open_inline(order.key, {"input", ""}, order.input));
  auto parsed = json::parse(text);
  wipe(text);
  if (!parsed.ok()) return parsed.error();
  ST_ASSIGN(const ExecutionInput input, from_json<ExecutionInput>(*parsed));
  ST_ASSIGN(SandboxSpec spec,
            sandbox_spec_of(input, order.language, order.limits, options.languages));
  spec.execution = order.execution;
  spec.attempt = order.attempt;
  return spec;
}

void HostEngine::State::refuse(const LaunchOrder& order, std::string reason) {
  {
    const std::lock_guard lock(mutex);
    ++counted.refusals;
  }
  log_info("refused",
           {{"execution", order.execution}, {"attempt", order.attempt}, {"reason", reason}});
  HostReport report = report_on(order);
  report.what =
      ExecutionRefused{order.execution, order.attempt, order.host_epoch, std::move(reason)};
  send(report);
}

void HostEngine::State::start(const std::shared_ptr<LaunchOrder>& order, SandboxSpec spec) {
  const AttemptKey key{order->execution, order->attempt};
  {
    const std::lock_guard lock(mutex);
    const auto found = running.find(key);
    if (found == running.end() || found->second.discarded) return leave(key);
  }
  SandboxEvents events;
  events.on_started = [self = shared_from_this(), order] { self->on_started(*order); };
  events.on_exit = [self = shared_from_this(), order](SandboxExit exit) {
    self->on_exit(*order, std::move(exit));
  };
  if (OutputHub* const hub = options.live_output) {
    hub->begin(order->execution, order->attempt);
    events.on_output = [hub, order](OutputStream stream, std::int64_t offset, BytesView bytes) {
      hub->write(order->execution, order->attempt, stream, offset, bytes);
    };
  }
  auto handle = driver.launch(std::move(spec), std::move(events));
  if (!handle.ok()) {
    end_live_output(*order);
    const std::string reason = "no free slot: " + handle.error().message;
    bool discarded = false;
    {
      const std::lock_guard lock(mutex);
      seen.add(key, reason);
      const auto found = running.find(key);
      discarded = found == running.end() || found->second.discarded;
      leave(key);
    }
    if (!discarded) refuse(*order, reason);
    return;
  }
  // One line a launch, whatever comes of it: who counts launches counts these.
  log_info("launched", {{"execution", order->execution},
                        {"attempt", order->attempt},
                        {"host_epoch", order->host_epoch}});
  KillReason stop = KillReason::none;
  {
    const std::lock_guard lock(mutex);
    ++counted.launches;
    const auto found = running.find(key);
    if (found == running.end()) return;  // it is over already
    found->second.handle = *handle;
    stop = found->second.stop;
  }
  if (stop != KillReason::none) (*handle)->stop(stop);
}

void HostEngine::State::on_started(const LaunchOrder& order) {
  {
    const std::lock_guard lock(mutex);
    const auto found = running.find({order.execution, order.attempt});
    if (found == running.end() || found->second.discarded) return;
    found->second.started = true;
  }
  HostReport report = report_on(order);
  report.what = ExecutionStarted{order.execution, order.attempt, order.host_epoch};
  send(report);
}

void HostEngine::State::end_live_output(const LaunchOrder& order) {
  if (options.live_output != nullptr) options.live_output->end(order.execution, order.attempt);
}

void HostEngine::State::on_exit(const LaunchOrder& order, SandboxExit exit) {
  end_live_output(order);
  ExecutionFinished event = finished_event_of(exit, driver.capabilities());
  event.execution = order.execution;
  event.attempt = order.attempt;
  event.host_epoch = order.host_epoch;
  const ExecutionOutput output{{std::move(exit.out.kept)}, {std::move(exit.err.kept)}};
  Bytes text = to_text(output);
  event.payload = seal_inline(order.key, order.input.key, {"output", std::to_string(order.attempt)},
                              text, random);
  wipe(text);
  HostReport report = report_on(order);
  report.what = std::move(event);
  const AttemptKey key{order.execution, order.attempt};
  {
    const std::lock_guard lock(mutex);
    const auto found = running.find(key);
    const bool discarded = found != running.end() && found->second.discarded;
    if (discarded) ++counted.discarded;
    if (!discarded) {
      counted.kept_bytes += result_bytes(report);
      kept[key] = report;
    }
    leave(key);
    if (discarded) return;
  }
  send(report);
}

HostEngine::HostEngine(SandboxDriver& driver, Random& random, HostEngineOptions options)
    : state_(std::make_shared<State>(driver, random, std::move(options))) {}

HostEngine::~HostEngine() {
  fence();
  std::unique_lock lock(state_->mutex);
  state_->sink = nullptr;
  state_->changed.wait(lock, [this] { return state_->running.empty() && state_->sending == 0; });
}

HostInfo HostEngine::info() const {
  HostInfo info;
  info.id = state_->options.id;
  info.address = state_->options.address;
  info.slots = state_->options.slots;
  info.isolation = state_->driver.capabilities().isolation;
  for (const Language& language : state_->options.languages) {
    info.languages.push_back(language.name);
  }
  const std::lock_guard lock(state_->mutex);
  info.epoch = state_->epoch;
  return info;
}

void HostEngine::set_sink(Sink sink) {
  std::unique_lock lock(state_->mutex);
  state_->sink = std::move(sink);
  state_->changed.wait(lock, [this] { return state_->sending == 0; });
}

void HostEngine::launch(Route route, LaunchOrder order) {
  std::optional<std::string> refused;
  const bool taken = state_->take(route, order, refused);
  if (refused) return state_->refuse(order, std::move(*refused));
  if (!taken) return;
  auto spec = state_->spec_of(order);
  auto shared = std::make_shared<LaunchOrder>(std::move(order));
  shared->input.sealed.bytes = {};  // it stands in the spec now
  if (!spec.ok()) {
    SandboxExit exit;
    exit.broken = spec.error();
    return state_->on_exit(*shared, std::move(exit));
  }
  state_->start(shared, std::move(spec).value());
}

void HostEngine::cancel(Route route, const OrderAuthority& by, const ExecutionId& execution,
                        std::int64_t attempt) {
  std::shared_ptr<SandboxHandle> handle;
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->authorise(route, by, "cancel")) return;
    const auto found = state_->running.find({execution, attempt});
    if (found == state_->running.end() || found->second.partition != by.partition) return;
    if (found->second.stop == KillReason::none) found->second.stop = KillReason::cancelled;
    handle = found->second.handle;
  }
  if (handle) handle->stop(KillReason::cancelled);
}

void HostEngine::acknowledge(Route route, const OrderAuthority& by, const ExecutionId& execution,
                             std::int64_t attempt) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->authorise(route, by, "acknowledge")) return;
  const auto found = state_->kept.find({execution, attempt});
  if (found == state_->kept.end() || found->second.partition != by.partition) return;
  state_->counted.kept_bytes -= result_bytes(found->second);
  state_->kept.erase(found);
}

std::optional<std::vector<HeldAttempt>> HostEngine::take_over(Route route,
                                                              const OrderAuthority& by) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->authorise(route, by, "take_over")) return std::nullopt;
  std::vector<HeldAttempt> out;
  for (const auto& [key, running] : state_->running) {
    if (running.partition != by.partition || running.discarded) continue;
    out.push_back({key.first, key.second, running.host_epoch, false});
  }
  for (const auto& [key, report] : state_->kept) {
    if (report.partition != by.partition) continue;
    out.push_back(
        {key.first, key.second, std::get<ExecutionFinished>(report.what).host_epoch, true});
  }
  return out;
}

void HostEngine::resend(std::int32_t partition) {
  std::vector<HostReport> started;
  std::vector<AttemptKey> kept_keys;  // results are large: one copy at a time
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [key, running] : state_->running) {
      if (running.partition != partition || !running.started || running.discarded) continue;
      HostReport report;
      report.partition = partition;
      report.execution = key.first;
      report.attempt = key.second;
      report.host = state_->options.id;
      report.what = ExecutionStarted{key.first, key.second, running.host_epoch};
      started.push_back(std::move(report));
    }
    for (const auto& [key, report] : state_->kept) {
      if (report.partition == partition) kept_keys.push_back(key);
    }
  }
  for (const HostReport& report : started) state_->send(report);
  for (const AttemptKey& key : kept_keys) {
    if (const auto report = kept(key.first, key.second)) state_->send(*report);
  }
}

bool HostEngine::holds(const ExecutionId& execution, std::int64_t attempt) const {
  const std::lock_guard lock(state_->mutex);
  return state_->holds({execution, attempt});
}

std::optional<HostReport> HostEngine::kept(const ExecutionId& execution,
                                           std::int64_t attempt) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->kept.find({execution, attempt});
  if (found == state_->kept.end()) return std::nullopt;
  return found->second;
}

int HostEngine::busy_elsewhere(Route route) const {
  const std::lock_guard lock(state_->mutex);
  int busy = 0;
  for (const auto& [key, running] : state_->running) {
    const auto owner = state_->owners.find(running.partition);
    if (owner == state_->owners.end() || owner->second.route != route) ++busy;
  }
  return busy;
}

HostCounts HostEngine::counts() const {
  const std::lock_guard lock(state_->mutex);
  HostCounts out = state_->counted;
  out.running = static_cast<int>(state_->running.size());
  out.kept = state_->kept.size();
  out.draining = state_->draining;
  return out;
}

void HostEngine::drain() {
  const std::lock_guard lock(state_->mutex);
  state_->draining = true;
}

void HostEngine::fence() {
  std::vector<std::shared_ptr<SandboxHandle>> handles;
  {
    const std::lock_guard lock(state_->mutex);
    state_->fenced = true;
    for (auto& [key, running] : state_->running) {
      running.discarded = true;
      running.stop = KillReason::host_shutdown;
      if (running.handle) handles.push_back(running.handle);
    }
  }
  for (const auto& handle : handles) handle->stop(KillReason::host_shutdown);
}

void HostEngine::begin_epoch(std::int64_t epoch) {
  const std::lock_guard lock(state_->mutex);
  ST_ASSERT(epoch > state_->epoch);
  state_->epoch = epoch;
  state_->fenced = false;
  state_->seen.clear();
}

}  // namespace sandtrail
