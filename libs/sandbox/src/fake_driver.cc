// SPDX-License-Identifier: Apache-2.0
#include "sandbox/fake_driver.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/limits.h"
#include "base/random.h"

namespace sandtrail {
namespace {

std::int64_t us(Millis span) {
  return span.count * 1000;
}

SandboxOutput cut(const Bytes& written, std::int64_t total, const SandboxLimits& limits) {
  SandboxOutput output;
  output.kept = written.substr(0, static_cast<std::size_t>(limits.output_bytes));
  output.total_bytes = std::max(total, static_cast<std::int64_t>(written.size()));
  output.truncated = output.total_bytes > static_cast<std::int64_t>(output.kept.size());
  return output;
}

// What a stream holds so far, and how much of it has been given to on_output.
struct Written {
  Bytes bytes;
  std::int64_t given_bytes = 0;
  bool told_cut = false;
};

struct Piece {
  OutputStream stream = OutputStream::out;
  std::int64_t offset = 0;
  Bytes bytes;
};

// What on_output has not been given yet; the last piece is empty if the stream went over its cap.
void take_pieces(OutputStream stream, Written& written, std::int64_t total,
                 const SandboxLimits& limits, std::vector<Piece>& pieces) {
  const auto output = cut(written.bytes, total, limits);
  const auto given = static_cast<std::size_t>(written.given_bytes);
  if (output.kept.size() > given) {
    pieces.push_back({stream, written.given_bytes, output.kept.substr(given)});
    written.given_bytes = static_cast<std::int64_t>(output.kept.size());
  }
  if (output.truncated && !std::exchange(written.told_cut, true)) {
    pieces.push_back({stream, written.given_bytes, ""});
  }
}

void give(const SandboxEvents& events, const std::vector<Piece>& pieces) {
  if (!events.on_output) return;
  for (const auto& piece : pieces) events.on_output(piece.stream, piece.offset, piece.bytes);
}

struct Entry {
  SandboxSpec spec;
  SandboxEvents events;
  FakeRun run;
  std::int64_t launched_us = 0;
  bool started = false;
  std::int64_t started_us = 0;
  KillReason killed = KillReason::none;
  std::int64_t killed_us = 0;
  std::size_t writes_done = 0;
  Written out;
  Written err;

  std::string name() const {
    return "sandtrail-" + spec.execution.text() + "-" + std::to_string(spec.attempt);
  }
  std::int64_t wall_due_us() const { return started_us + spec.limits.wall_ms * 1000; }
  bool overruns() const {
    return !run.end_after || started_us + us(*run.end_after) > wall_due_us();
  }
  std::int64_t end_due_us() const {
    if (killed != KillReason::none) return killed_us;
    return overruns() ? wall_due_us() : started_us + us(*run.end_after);
  }
  // If it writes once more before its end.
  std::optional<std::int64_t> write_due_us() const {
    if (!started || killed != KillReason::none || writes_done == run.writes.size()) return {};
    const auto due_us = started_us + us(run.writes[writes_done].after);
    if (due_us > end_due_us()) return {};
    return due_us;
  }
  std::int64_t due_us() const {
    if (!started && killed == KillReason::none) return launched_us + us(run.start_after);
    return write_due_us().value_or(end_due_us());
  }
  std::vector<Piece> write();
  std::vector<Piece> write_rest();
  SandboxExit exit(std::int64_t now_us) const;
};

std::vector<Piece> Entry::write() {
  const auto& next = run.writes[writes_done++];
  auto& written = next.stream == OutputStream::out ? out : err;
  written.bytes += next.bytes;
  std::vector<Piece> pieces;
  take_pieces(next.stream, written, 0, spec.limits, pieces);
  return pieces;
}

std::vector<Piece> Entry::write_rest() {
  std::vector<Piece> pieces;
  if (!started || run.broken) return pieces;
  out.bytes += run.out;
  err.bytes += run.err;
  take_pieces(OutputStream::out, out, run.out_total_bytes, spec.limits, pieces);
  take_pieces(OutputStream::err, err, 0, spec.limits, pieces);
  return pieces;
}

SandboxExit Entry::exit(std::int64_t now_us) const {
  SandboxExit exit;
  exit.controls = {"fake"};
  exit.killed = killed;
  if (killed == KillReason::none && run.broken) {
    exit.broken = run.broken;
    return exit;
  }
  if (!started) return exit;
  exit.stage = run.stage.empty() ? spec.stages.back().name : run.stage;
  exit.timings.boot_us = started_us - launched_us;
  exit.timings.run_us = now_us - started_us;
  exit.usage = {now_us - started_us, (now_us - started_us) / 2, run.memory_peak_bytes};
  exit.out = cut(out.bytes, run.out_total_bytes, spec.limits);
  exit.err = cut(err.bytes, 0, spec.limits);
  exit.oom_kills = run.oom_kills;
  exit.process_limit_hits = run.process_limit_hits;
  if (killed != KillReason::none) return exit;
  if (overruns()) {
    exit.killed = KillReason::wall_time;
  } else if (exit.out.total_bytes > spec.limits.output_flood_bytes) {
    exit.killed = KillReason::output_flood;
  } else if (run.process_limit_hits > limits::kForkRefusalsMax) {
    exit.killed = KillReason::process_flood;
  } else if (run.signal) {
    exit.signal = run.signal;
  } else {
    exit.exit_code = run.exit_code;
  }
  return exit;
}

}  // namespace

class FakeDriver::State {
 public:
  State(const Clock& clock, int slots_max, FakeScript script)
      : clock_(clock), slots_max_(slots_max), script_(std::move(script)) {}

  const Clock& clock_;
  const int slots_max_;
  const FakeScript script_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;  // by order of launch
  std::uint64_t last_id_ = 0;
  std::set<std::string> left_over_;
  Status self_test_;

  void stop(std::uint64_t id, KillReason reason) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.killed != KillReason::none) return;
    found->second.killed = reason;
    found->second.killed_us = clock_.monotonic_us();
  }

  // The callback of the earliest event that is due; empty if none is.
  std::function<void()> take_due() {
    const std::lock_guard lock(mutex_);
    const auto next = std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.due_us() < b.second.due_us(); });
    const auto now_us = clock_.monotonic_us();
    if (next == entries_.end() || next->second.due_us() > now_us) return {};
    auto& entry = next->second;
    const bool starts = !entry.started && entry.killed == KillReason::none && !entry.run.broken;
    if (entry.write_due_us()) {
      return [events = entry.events, pieces = entry.write()] { give(events, pieces); };
    }
    if (!starts) return take_end(next);
    entry.started_us = entry.due_us();
    entry.started = true;
    return [started = entry.events.on_started] {
      if (started) started();
    };
  }

  // Requires the lock.
  std::function<void()> take_end(std::map<std::uint64_t, Entry>::iterator at) {
    const auto due_us = std::min(at->second.due_us(), clock_.monotonic_us());
    auto pieces = at->second.write_rest();
    auto exit = at->second.exit(due_us);
    auto events = std::move(at->second.events);
    entries_.erase(at);
    return [events = std::move(events), pieces = std::move(pieces), exit = std::move(exit)] {
      give(events, pieces);
      if (events.on_exit) events.on_exit(exit);
    };
  }

  std::map<std::uint64_t, Entry>::iterator find(const ExecutionId& execution) {
    return std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
      return entry.second.spec.execution == execution;
    });
  }
};

FakeDriver::FakeDriver(const Clock& clock, int slots_max, FakeScript script)
    : state_(std::make_shared<State>(clock, slots_max, std::move(script))) {}

FakeDriver::~FakeDriver() {
  {
    const std::lock_guard lock(state_->mutex_);
    for (auto& [id, entry] : state_->entries_) {
      if (entry.killed == KillReason::none) entry.killed = KillReason::host_shutdown;
      entry.killed_us = state_->clock_.monotonic_us();
    }
  }
  run_due();
}

DriverCapabilities FakeDriver::capabilities() const {
  return {"fake", "none", false, state_->slots_max_};
}

Status FakeDriver::self_test() {
  const std::lock_guard lock(state_->mutex_);
  return state_->self_test_;
}

Result<std::shared_ptr<SandboxHandle>> FakeDriver::launch(SandboxSpec spec, SandboxEvents events) {
  class Handle final : public SandboxHandle {
   public:
    Handle(std::shared_ptr<State> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
    void stop(KillReason reason) override { state_->stop(id_, reason); }

   private:
    std::shared_ptr<State> state_;
    std::uint64_t id_;
  };
  const std::lock_guard lock(state_->mutex_);
  auto run = state_->script_(spec);
  if (run.refused || static_cast<int>(state_->entries_.size()) >= state_->slots_max_) {
    return Error{ErrorCode::overloaded, "all sandbox slots are taken", ""};
  }
  if (spec.stages.empty()) {
    run.broken = Error{ErrorCode::invalid_argument, "the number of stages is out of range", ""};
  }
  const auto id = ++state_->last_id_;
  Entry entry;
  entry.spec = std::move(spec);
  entry.events = std::move(events);
  entry.run = std::move(run);
  entry.launched_us = state_->clock_.monotonic_us();
  state_->entries_.emplace(id, std::move(entry));
  return std::shared_ptr<SandboxHandle>(std::make_shared<Handle>(state_, id));
}

std::vector<std::string> FakeDriver::list_owned() {
  const std::lock_guard lock(state_->mutex_);
  return {state_->left_over_.begin(), state_->left_over_.end()};
}

Status FakeDriver::reap(const std::string& name) {
  const std::lock_guard lock(state_->mutex_);
  for (const auto& [id, entry] : state_->entries_) {
    if (entry.name() == name) return Error{ErrorCode::conflict, "this sandbox is running", ""};
  }
  state_->left_over_.erase(name);
  return {};
}

bool FakeDriver::run_due() {
  bool any = false;
  while (auto callback = state_->take_due()) {
    callback();
    any = true;
  }
  return any;
}

std::optional<std::int64_t> FakeDriver::next_due_us() const {
  const std::lock_guard lock(state_->mutex_);
  std::optional<std::int64_t> due;
  for (const auto& [id, entry] : state_->entries_) {
    due = std::min(due.value_or(INT64_MAX), entry.due_us());
  }
  return due;
}

bool FakeDriver::finish(const ExecutionId& execution, const FakeRun& end) {
  std::function<void()> callback;
  {
    const std::lock_guard lock(state_->mutex_);
    const auto found = state_->find(execution);
    if (found == state_->entries_.end() || !found->second.started) return false;
    auto& entry = found->second;
    entry.run = end;
    entry.run.end_after = Millis{(state_->clock_.monotonic_us() - entry.started_us) / 1000};
    callback = state_->take_end(found);
  }
  callback();
  return true;
}

bool FakeDriver::fail(const ExecutionId& execution, Error error) {
  std::function<void()> callback;
  {
    const std::lock_guard lock(state_->mutex_);
    const auto found = state_->find(execution);
    if (found == state_->entries_.end()) return false;
    found->second.run.broken = std::move(error);
    callback = state_->take_end(found);
  }
  callback();
  return true;
}

void FakeDriver::crash() {
  const std::lock_guard lock(state_->mutex_);
  for (const auto& [id, entry] : state_->entries_) state_->left_over_.insert(entry.name());
  state_->entries_.clear();
}

void FakeDriver::set_self_test(Status result) {
  const std::lock_guard lock(state_->mutex_);
  state_->self_test_ = std::move(result);
}

int FakeDriver::running() const {
  const std::lock_guard lock(state_->mutex_);
  return static_cast<int>(state_->entries_.size());
}

FakeScript seeded_script(std::uint64_t seed, Millis longest) {
  auto random = std::make_shared<SeededRandom>(seed);
  return [random, longest](const SandboxSpec& spec) {
    FakeRun run;
    const auto delay = [&](std::int64_t most) {
      return Millis{static_cast<std::int64_t>(random->below(static_cast<std::uint64_t>(most) + 1))};
    };
    run.start_after = delay(longest.count / 10);
    run.end_after = delay(longest.count);
    run.out = random->bytes(random->below(64));
    switch (random->below(12)) {
      case 0:
        run.exit_code = 1;
        break;
      case 1:
        run.signal = 11;
        break;
      case 2:
        run.end_after.reset();  // until the wall limit, or a stop
        break;
      case 3:
        run.oom_kills = 1;
        run.signal = 9;
        break;
      case 4:
        run.out_total_bytes = spec.limits.output_flood_bytes + 1;
        break;
      case 5:
        run.broken = Error{ErrorCode::unavailable, "scripted failure", ""};
        break;
      case 6:
        run.process_limit_hits = limits::kForkRefusalsMax + 1;
        break;
      case 7:
        run.refused = true;
        break;
      default:
        break;
    }
    return run;
  };
}

}  // namespace sandtrail
