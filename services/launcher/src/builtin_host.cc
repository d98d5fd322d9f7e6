// SPDX-License-Identifier: Apache-2.0
#include "launcher/builtin_host.h"

#include <condition_variable>
#include <optional>

#include "sandbox_spec.h"
#include "sealing/payload.h"

namespace sandtrail {
namespace {

using AttemptKey = std::pair<ExecutionId, std::int64_t>;

}  // namespace

struct BuiltinHost::State : std::enable_shared_from_this<BuiltinHost::State> {
  State(SandboxDriver& d, Random& r, BuiltinHostOptions o)
      : driver(d), random(r), options(std::move(o)) {}

  SandboxDriver& driver;
  Random& random;
  const BuiltinHostOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  ReportSink sink;
  struct Running {
    std::shared_ptr<SandboxHandle> handle;  // null until the driver has returned it
    bool cancelled = false;
  };
  std::map<AttemptKey, Running> running;
  std::map<AttemptKey, HostReport> finished;  // until acknowledged

  HostReport report_on(const LaunchOrder& order) const {
    HostReport report;
    report.org = order.org;
    report.execution = order.execution;
    report.attempt = order.attempt;
    report.host = options.id;
    return report;
  }
  void send(HostReport report) {
    ReportSink to;
    {
      const std::lock_guard lock(mutex);
      to = sink;
    }
    if (to) to(std::move(report));
  }
  void refuse(const LaunchOrder& order, std::string reason);
  void start(std::shared_ptr<LaunchOrder> order, SandboxSpec spec);
  void on_started(const LaunchOrder& order);
  void on_exit(const LaunchOrder& order, SandboxExit exit);
  Result<SandboxSpec> spec_of(const LaunchOrder& order) const;
};

Result<SandboxSpec> BuiltinHost::State::spec_of(const LaunchOrder& order) const {
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

void BuiltinHost::State::refuse(const LaunchOrder& order, std::string reason) {
  HostReport report = report_on(order);
  report.what =
      ExecutionRefused{order.execution, order.attempt, order.host_epoch, std::move(reason)};
  send(std::move(report));
}

void BuiltinHost::State::start(std::shared_ptr<LaunchOrder> order, SandboxSpec spec) {
  const AttemptKey key{order->execution, order->attempt};
  {
    const std::lock_guard lock(mutex);
    running[key] = {};
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
    if (options.live_output != nullptr) options.live_output->end(order->execution, order->attempt);
    {
      const std::lock_guard lock(mutex);
      running.erase(key);
      changed.notify_all();
    }
    return refuse(*order, "no free slot: " + handle.error().message);
  }
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex);
    const auto found = running.find(key);
    if (found == running.end()) return;  // it is over already
    found->second.handle = *handle;
    cancelled = found->second.cancelled;
  }
  if (cancelled) (*handle)->stop(KillReason::cancelled);
}

void BuiltinHost::State::on_started(const LaunchOrder& order) {
  HostReport report = report_on(order);
  report.what = ExecutionStarted{order.execution, order.attempt, order.host_epoch};
  send(std::move(report));
}

void BuiltinHost::State::on_exit(const LaunchOrder& order, SandboxExit exit) {
  if (options.live_output != nullptr) options.live_output->end(order.execution, order.attempt);
  ExecutionFinished event = finished_event_of(exit, driver.capabilities());
  event.execution = order.execution;
  event.attempt = order.attempt;
  event.host_epoch = order.host_epoch;
  const ExecutionOutput output{{std::move(exit.out.kept)}, {std::move(exit.err.kept)}};
  Bytes text = json::print(to_json(output));
  event.payload = seal_inline(order.key, order.input.key, {"output", std::to_string(order.attempt)},
                              text, random);
  wipe(text);
  HostReport report = report_on(order);
  report.what = std::move(event);
  const AttemptKey key{order.execution, order.attempt};
  {
    const std::lock_guard lock(mutex);
    finished[key] = report;
  }
  send(std::move(report));
  const std::lock_guard lock(mutex);
  running.erase(key);
  changed.notify_all();
}

BuiltinHost::BuiltinHost(SandboxDriver& driver, Random& random, BuiltinHostOptions options)
    : state_(std::make_shared<State>(driver, random, std::move(options))) {}

BuiltinHost::~BuiltinHost() {
  std::vector<std::shared_ptr<SandboxHandle>> handles;
  std::unique_lock lock(state_->mutex);
  for (const auto& [key, running] : state_->running) {
    if (running.handle) handles.push_back(running.handle);
  }
  lock.unlock();
  for (const auto& handle : handles) handle->stop(KillReason::host_shutdown);
  lock.lock();
  state_->changed.wait(lock, [this] { return state_->running.empty(); });
  state_->sink = nullptr;
}

HostInfo BuiltinHost::info() const {
  HostInfo info;
  info.id = state_->options.id;
  info.epoch = state_->options.epoch;
  info.slots = state_->options.slots;
  info.isolation = state_->driver.capabilities().isolation;
  for (const Language& language : state_->options.languages) {
    info.languages.push_back(language.name);
  }
  return info;
}

void BuiltinHost::set_report_sink(ReportSink sink) {
  const std::lock_guard lock(state_->mutex);
  state_->sink = std::move(sink);
}

void BuiltinHost::launch(LaunchOrder order) {
  if (order.host_epoch != state_->options.epoch) {
    return state_->refuse(order, "the order is for an earlier start of this host");
  }
  if (holds(order.execution, order.attempt)) return;  // a repeat
  auto spec = state_->spec_of(order);
  auto shared = std::make_shared<LaunchOrder>(std::move(order));
  if (!spec.ok()) {
    SandboxExit exit;
    exit.broken = spec.error();
    return state_->on_exit(*shared, std::move(exit));
  }
  state_->start(std::move(shared), std::move(spec).value());
}

void BuiltinHost::cancel(const ExecutionId& execution, std::int64_t attempt) {
  std::shared_ptr<SandboxHandle> handle;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->running.find({execution, attempt});
    if (found == state_->running.end()) return;
    found->second.cancelled = true;
    handle = found->second.handle;
  }
  if (handle) handle->stop(KillReason::cancelled);
}

void BuiltinHost::acknowledge(const ExecutionId& execution, std::int64_t attempt) {
  const std::lock_guard lock(state_->mutex);
  state_->finished.erase({execution, attempt});
}

bool BuiltinHost::holds(const ExecutionId& execution, std::int64_t attempt) const {
  const std::lock_guard lock(state_->mutex);
  const AttemptKey key{execution, attempt};
  return state_->running.contains(key) || state_->finished.contains(key);
}

void BuiltinHost::resend() {
  std::vector<HostReport> reports;
  ReportSink sink;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [key, report] : state_->finished) reports.push_back(report);
    sink = state_->sink;
  }
  for (HostReport& report : reports) {
    if (sink) sink(std::move(report));
  }
}

}  // namespace sandtrail
