// SPDX-License-Identifier: Apache-2.0
// Launchers and hosts in one process: the real ends of the protocol on a network without sockets,
// with programs that follow a script, all in the time of one clock.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/host_agent.h"
#include "host/host_engine.h"
#include "http/loopback_network.h"
#include "launcher/remote_hosts.h"
#include "sandbox/fake_driver.h"

namespace sandtrail::test {

using Attempt = std::pair<ExecutionId, std::int64_t>;

// Makes launch orders whose input says "run true".
class Orders {
 public:
  Orders(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  ExecutionId execution() { return ExecutionId::fresh(clock_, random_); }
  LaunchOrder launch(const ExecutionId& execution, OrderAuthority by, std::int64_t host_epoch,
                     std::int64_t attempt = 1);

 private:
  const Clock& clock_;
  Random& random_;
};

// What a partition's launcher would do, done by hand.
class LauncherSite {
 public:
  LauncherSite(const std::string& name, const Clock& clock, Random& random,
               http::LoopbackNetwork& network);
  ~LauncherSite();

  void own(std::int32_t partition, std::int64_t epoch);
  void lose(std::int32_t partition) { hosts.detach(partition); }
  OrderAuthority authority(std::int32_t partition) const {
    return {partition, epochs_.at(partition)};
  }
  std::shared_ptr<Host> host(const HostId& id) const { return hosts.find(id); }
  // Of reports heard, by kind: "refused", "started", "finished".
  std::size_t heard(const std::string& kind, const ExecutionId& execution) const;

  const std::string authority_name;  // where it listens
  Hosts hosts;
  std::unique_ptr<RemoteHosts> remote;
  std::vector<HostReport> reports;
  std::set<Attempt> never_sent;
  std::vector<HostId> told;  // of each change

 private:
  http::LoopbackNetwork& network_;
  std::map<std::int32_t, std::int64_t> epochs_;
};

class HostSite {
 public:
  HostSite(const std::string& name, HostId id, std::int64_t epoch, int slots,
           std::vector<std::string> launchers, const Clock& clock, Random& random,
           http::LoopbackNetwork& network);
  ~HostSite();

  // What runs does so until told otherwise.
  void end_all();
  std::int64_t epoch() const { return engine->info().epoch; }

  const std::string name;
  const HostId id;
  std::int64_t epochs_taken;
  bool disk_full = false;  // no epoch can be taken
  std::vector<Attempt> launches;
  FakeDriver driver;
  std::unique_ptr<HostEngine> engine;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<HostAgent> agent;
};

struct Sites {
  explicit Sites(int launcher_count, int host_count, int slots = 4);

  void pass(Millis span);  // in steps of 50 ms, everybody doing what is due
  LauncherSite& launcher(std::size_t i = 0) { return *launchers[i]; }
  HostSite& host(std::size_t i = 0) { return *hosts[i]; }
  void start_launcher(std::size_t i);
  // The process dies; its hosts notice that its connections end.
  void kill_launcher(std::size_t i);
  // Nothing of it happens any more, and time goes on.
  void stop_host(std::size_t i);
  void resume_host(std::size_t i);
  void cut(std::size_t host_index, std::size_t launcher_index, bool is_cut);

  ManualClock clock;
  SeededRandom random{11};
  http::LoopbackNetwork network{clock, [] { return Millis{1}; }};
  Orders orders{clock, random};
  std::vector<std::unique_ptr<LauncherSite>> launchers;
  std::vector<std::unique_ptr<HostSite>> hosts;
  std::set<std::size_t> stopped;
};

}  // namespace sandtrail::test
