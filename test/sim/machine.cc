// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include "process.h"

namespace sandtrail::sim {
namespace {

constexpr int kSlots = 3;
constexpr int kDriverSlots = 1000;  // the host decides
constexpr std::int64_t kOverrunMsMax = 500;

std::vector<Language> languages() {
  Language python;
  python.name = "python";
  python.file = "main.py";
  python.run = {"python3", "main.py"};
  return {python};
}

}  // namespace

Machine::Machine(Shared& shared, int number, std::vector<std::string> launchers)
    : shared_(shared),
      name_("machine" + std::to_string(number)),
      id_(HostId::fresh(shared.clock, shared.random)),
      launchers_(std::move(launchers)) {}

Machine::~Machine() {
  if (life_) kill();
}

FakeRun Machine::script(const SandboxSpec& spec) {
  Random& random = shared_.random;
  FakeRun run;
  run.refused = random.below(1000) < faults_.refuses;
  if (run.refused) return run;
  shared_.diary.note(name_ + " launches " + spec.execution.text() + " attempt " +
                     std::to_string(spec.attempt));
  shared_.checkers->on_launch({spec.execution, spec.attempt, id_, life_->engine->info().epoch});
  run.start_after = Millis{static_cast<std::int64_t>(random.below(100))};
  const auto most = static_cast<std::uint64_t>(spec.limits.wall_ms + kOverrunMsMax);
  run.end_after = faults_.runs_to_limit ? Millis{spec.limits.wall_ms}
                                        : Millis{static_cast<std::int64_t>(random.below(most))};
  run.out = Bytes(random.below(8) == 0 ? 60'000 : 20, 'o');
  return run;
}

void Machine::start() {
  life_ = std::make_unique<Life>();
  life_->driver = std::make_unique<FakeDriver>(
      shared_.clock, kDriverSlots, [this](const SandboxSpec& spec) { return script(spec); });
  HostEngineOptions options;
  options.id = id_;
  options.epoch = ++epoch_;
  options.slots = kSlots;
  options.languages = languages();
  life_->engine = std::make_unique<HostEngine>(*life_->driver, shared_.random, std::move(options));
  life_->client = shared_.network.client(name_);
  HostAgentOptions agent_options;
  for (const std::string& launcher : launchers_) {
    agent_options.launchers.push_back(*http::parse_url("http://" + launcher + "/"));
  }
  life_->agent =
      std::make_unique<HostAgent>(std::move(agent_options), *life_->engine, *life_->client,
                                  shared_.clock, shared_.random, [this]() -> Result<std::int64_t> {
                                    if (shared_.random.below(4) == 0)
                                      return Error{ErrorCode::disk_full, "for the test", ""};
                                    return ++epoch_;
                                  });
}

void Machine::kill() {
  stop(false);
  life_->agent->leave();  // what it says goes with the client
  life_->client.reset();
  life_->agent.reset();
  life_->engine->fence();
  life_->driver->run_due();
  life_.reset();
}

void Machine::stop(bool stopped) {
  stopped_ = stopped;
  shared_.network.freeze(name_, stopped);
}

void Machine::step() {
  if (!up() || stopped_) return;
  if (shared_.random.below(2) == 0) {
    if (!hanging_) life_->driver->run_due();
  } else {
    life_->agent->tick();
  }
}

void Machine::settle() {
  if (!up() || stopped_) return;
  if (!hanging_) life_->driver->run_due();
  life_->agent->tick();
}

}  // namespace sandtrail::sim
