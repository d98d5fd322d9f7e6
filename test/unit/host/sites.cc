// SPDX-License-Identifier: Apache-2.0
#include "sites.h"

#include <algorithm>

#include "base/limits.h"
#include "domain/payloads.h"
#include "sealing/payload.h"

namespace sandtrail::test {
namespace {

http::Url url_of(const std::string& authority) {
  return {"http", authority.substr(0, authority.find(':')), 7080, "/"};
}

std::string authority_of(std::size_t i) {
  return "launcher" + std::to_string(i) + ":7080";
}

const char* kind_of(const HostReport& report) {
  static constexpr const char* kKinds[] = {"refused", "started", "finished"};
  return kKinds[report.what.index()];
}

}  // namespace

LaunchOrder Orders::launch(const ExecutionId& execution, OrderAuthority by, std::int64_t host_epoch,
                           std::int64_t attempt) {
  LaunchOrder order;
  order.by = by;
  order.execution = execution;
  order.attempt = attempt;
  order.host_epoch = host_epoch;
  order.limits.wall_ms = limits::kWallMsMax;
  order.key = SecretBytes::random(32, random_);
  ExecutionInput input;
  input.command = {"true"};
  order.input = seal_inline(order.key, DataKeyId::fresh(clock_, random_), {"input", ""},
                            json::print(to_json(input)), random_);
  return order;
}

LauncherSite::LauncherSite(const std::string& name, const Clock& clock, Random& random,
                           http::LoopbackNetwork& network)
    : authority_name(name), hosts(clock, true), network_(network) {
  remote = std::make_unique<RemoteHosts>(RemoteHostsOptions{name}, hosts, clock, random);
  network_.serve(authority_name, remote->handler());
}

LauncherSite::~LauncherSite() {
  network_.die(authority_name);
}

void LauncherSite::own(std::int32_t partition, std::int64_t epoch) {
  epochs_[partition] = epoch;
  Hosts::Listener listener;
  listener.owner = {partition, epoch};
  listener.on_report = [this](HostReport report) { reports.push_back(std::move(report)); };
  listener.on_never_sent = [this](const ExecutionId& execution, std::int64_t attempt) {
    never_sent.insert({execution, attempt});
  };
  listener.on_host = [this](const HostId& id) { told.push_back(id); };
  listener.on_slot_free = [] {};
  hosts.attach(std::move(listener));
  hosts.take_over(partition);
}

std::size_t LauncherSite::heard(const std::string& kind, const ExecutionId& execution) const {
  return static_cast<std::size_t>(
      std::count_if(reports.begin(), reports.end(), [&](const HostReport& report) {
        return report.execution == execution && kind == kind_of(report);
      }));
}

HostSite::HostSite(const std::string& n, HostId i, std::int64_t epoch, int slots,
                   std::vector<std::string> launcher_names, const Clock& clock, Random& random,
                   http::LoopbackNetwork& network)
    : name(n), id(i), epochs_taken(epoch), driver(clock, slots, [this](const SandboxSpec& spec) {
        launches.emplace_back(spec.execution, spec.attempt);
        FakeRun run;
        run.end_after = std::nullopt;
        return run;
      }) {
  HostEngineOptions options;
  options.id = id;
  options.epoch = epoch;
  options.slots = slots;
  engine = std::make_unique<HostEngine>(driver, random, std::move(options));
  client = network.client(name);
  HostAgentOptions agent_options;
  for (const std::string& launcher : launcher_names) {
    agent_options.launchers.push_back(url_of(launcher));
  }
  agent = std::make_unique<HostAgent>(std::move(agent_options), *engine, *client, clock, random,
                                      [this]() -> Result<std::int64_t> {
                                        if (disk_full) return Error{ErrorCode::disk_full, "", ""};
                                        return ++epochs_taken;
                                      });
}

HostSite::~HostSite() {
  agent->leave();
  client.reset();
  agent.reset();
  engine->fence();
  driver.run_due();
  engine.reset();
}

void HostSite::end_all() {
  const std::vector<Attempt> all = launches;
  for (const auto& [execution, attempt] : all) {
    FakeRun end;
    end.out = "done";
    driver.finish(execution, end);
  }
}

Sites::Sites(int launcher_count, int host_count, int slots) {
  std::vector<std::string> names;
  for (int i = 0; i < launcher_count; ++i) {
    names.push_back(authority_of(static_cast<std::size_t>(i)));
    launchers.emplace_back();
    start_launcher(static_cast<std::size_t>(i));
  }
  for (int i = 0; i < host_count; ++i) {
    hosts.push_back(std::make_unique<HostSite>("host" + std::to_string(i),
                                               HostId::fresh(clock, random), 1, slots, names, clock,
                                               random, network));
  }
}

void Sites::start_launcher(std::size_t i) {
  launchers[i] = std::make_unique<LauncherSite>(authority_of(i), clock, random, network);
}

void Sites::kill_launcher(std::size_t i) {
  launchers[i].reset();
}

void Sites::stop_host(std::size_t i) {
  stopped.insert(i);
  network.freeze("host" + std::to_string(i), true);
}

void Sites::resume_host(std::size_t i) {
  stopped.erase(i);
  network.freeze("host" + std::to_string(i), false);
}

void Sites::cut(std::size_t host_index, std::size_t launcher_index, bool is_cut) {
  network.cut(hosts[host_index]->name, authority_of(launcher_index), is_cut);
}

void Sites::pass(Millis span) {
  constexpr std::int64_t kRounds = 10;
  for (std::int64_t left = span.count; left > 0; left -= 50) {
    clock.advance({50 - kRounds});
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (stopped.contains(i)) continue;
      hosts[i]->driver.run_due();
      hosts[i]->agent->tick();
    }
    // A message takes a millisecond each way: several of them fit between two ticks.
    for (std::int64_t round = 0; round < kRounds; ++round) {
      network.deliver();
      clock.advance({1});
    }
    for (const auto& launcher : launchers) {
      if (launcher != nullptr) launcher->remote->tick();
    }
    network.deliver();
  }
}

}  // namespace sandtrail::test
