// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include "gateway/read_model.h"
#include "launcher/launcher_role.h"
#include "retention/retention_role.h"
#include "webhooks/webhooks_role.h"
#include "wire/topics.h"

namespace sandtrail::sim {
namespace {

constexpr int kSlots = 3;

MemoryLogOptions log_options(std::uint64_t seed) {
  MemoryLogOptions options;
  options.seed = seed;
  options.mode = MemoryLogOptions::Mode::stepped;
  return options;
}

}  // namespace

Shared::Shared(std::uint64_t chosen)
    : seed(chosen),
      random(seed),
      network(clock,
              [this] {
                const bool slow = slow_network && random.below(3) == 0;
                return Millis{slow ? static_cast<std::int64_t>(random.below(40)) : 0};
              }),
      log(log_options(seed), clock),
      receivers(clock, seed * 3 + 1),
      root_key(SecretBytes::random(32, random)),
      checkers_log(log.connect()) {
  auto made = NoteSigner::create("sim.example/audit", SecretBytes::random(32, random));
  ST_ASSERT(made.ok());
  signer = std::make_unique<NoteSigner>(std::move(made).value());
  checkers = std::make_unique<Checkers>(*checkers_log, kEventsPartitions, problems);
  receivers.on_message([this](const Message& message) { checkers->on_message(message); });
}

Process::Process(Shared& shared, int number, bool joinable)
    : shared_(shared),
      number_(number),
      joinable_(joinable),
      host_id_(HostId::fresh(shared.clock, shared.random)),
      clock_(shared.clock) {}

Process::~Process() {
  if (life_) kill(false);
}

void add_projections(Runtime& runtime) {
  runtime.add(make_launcher_projection());
  runtime.add(make_auditor_projection());
  runtime.add(make_webhooks_projection());
  runtime.add(std::make_unique<ReadModel>());
}

void Process::start() {
  life_ = std::make_unique<Life>();
  Life& life = *life_;
  life.log = shared_.log.connect();
  life.keyring =
      std::make_unique<Keyring>(shared_.root_key.clone(), shared_.keys, clock_, shared_.random);
  life.payloads = std::make_unique<Payloads>(*life.keyring, shared_.objects);
  life.hosts = std::make_unique<Hosts>(clock_, joinable_);
  if (joinable_) {
    life.remote = std::make_unique<RemoteHosts>(RemoteHostsOptions{authority()}, *life.hosts,
                                                clock_, shared_.random);
    shared_.network.serve(authority(), life.remote->handler());
  } else {
    life.host = std::make_unique<SimHost>(
        host_id_, ++host_epoch_, kSlots, clock_, shared_.random,
        [this](const Launch& launch) { shared_.checkers->on_launch(launch); });
    life.host->set_faults(host_faults_);
    life.hosts->add(*life.host);
  }
  RuntimeOptions options;
  options.instance = "process-" + std::to_string(number_);
  options.events_partitions = kEventsPartitions;
  options.threads = false;
  life.runtime = std::make_unique<Runtime>(options, *life.log, store_, clock_, shared_.random);
  Runtime& runtime = *life.runtime;
  add_projections(runtime);
  runtime.add(&life.platform);
  runtime.add(&life.audit);
  const Executor executor = [&life](std::function<void()> task) {
    life.tasks.push_back(std::move(task));
  };
  runtime.add(make_launcher_role(*life.hosts, *life.payloads, executor));
  runtime.add(make_billing_role(life.platform, kPrice));
  runtime.add(make_retention_role(
      *life.payloads, executor, [](const OrgId& org) { return home_of(org, kEventsPartitions); }));
  life.line = shared_.receivers.connect();
  runtime.add(make_webhooks_role(*life.line, *life.payloads, executor, shared_.random,
                                 {{seconds(5), seconds(20), minutes(1)}, ""}));
  runtime.add(make_auditor_role(
      life.audit, *shared_.signer, {"sim.example/audit", seconds(1)},
      [&runtime](const TopicPartition& where, Proposal proposal, ProposalDone done) {
        runtime.propose(where, std::move(proposal), std::move(done));
      }));
  const Status started = runtime.start();
  shared_.problems.expect(
      started.ok(), "a process does not start: " + (started.ok() ? "" : started.error().text()));
}

void Process::stop(bool stopped) {
  standing_ = stopped;
  shared_.network.freeze(authority(), stopped);
}

void Process::kill(bool with_machine) {
  stop(false);
  shared_.network.die(authority());
  life_->log->kill();
  life_.reset();
  if (with_machine) store_.crash();
}

bool Process::stopped() const {
  return life_->runtime->not_ready_because().find("has stopped") != std::string::npos;
}

bool Process::run_task() {
  auto& tasks = life_->tasks;
  if (tasks.empty() || workers_stopped_) return false;
  // Several workers: not in the order of posting.
  const auto at = static_cast<std::ptrdiff_t>(shared_.random.below(tasks.size()));
  const auto task = std::move(tasks[static_cast<std::size_t>(at)]);
  tasks.erase(tasks.begin() + at);
  task();
  return true;
}

bool Process::step() {
  if (standing_) return false;
  const std::uint64_t what = shared_.random.below(kPartitions + 2);
  if (what < kPartitions) return life_->runtime->step(static_cast<std::size_t>(what));
  if (what == kPartitions) return run_task();
  return tick_outside();
}

// Hosts and receivers of messages.
bool Process::tick_outside() {
  if (life_->host) life_->host->tick();
  if (life_->remote) life_->remote->tick();
  return life_->line->tick();
}

bool Process::settle() {
  if (standing_) return false;
  bool any = false;
  for (bool worked = true; worked; any |= worked) {
    worked = tick_outside();
    for (std::size_t i = 0; i < kPartitions; ++i) worked |= life_->runtime->step(i);
    while (run_task()) worked = true;
  }
  return any;
}

void Process::set_host_faults(const HostFaults& faults) {
  host_faults_ = faults;
  if (life_ && life_->host) life_->host->set_faults(faults);
}

void Process::compare_digests() {
  for (const PartitionStatus& status : life_->runtime->status()) {
    shared_.checkers->on_digest(status.where, status.next, status.digest);
  }
}

}  // namespace sandtrail::sim
