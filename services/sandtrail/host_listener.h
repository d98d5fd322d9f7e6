// SPDX-License-Identifier: Apache-2.0
// Where hosts join a launcher: its server and its clockwork.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "config/config.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "launcher/remote_hosts.h"

namespace sandtrail {

class HostListener {
 public:
  // Serves at launcher.listen, with the certificates of cluster.*; hosts may join from then on,
  // also before the launcher is live anywhere: they are kept alive so. `instance` names this
  // launcher to people. Everything given must outlive it.
  // `status` tells operators, see launcher_status.h.
  static Result<std::unique_ptr<HostListener>> start(
      const Config& config, std::string instance, Hosts& hosts,
      std::function<std::vector<HostStatus>()> status, const Clock& clock, Random& random);
  ~HostListener();  // tells hosts to look elsewhere
  HostListener(const HostListener&) = delete;
  HostListener& operator=(const HostListener&) = delete;

  std::string address() const;  // "host:port", with the port that was really taken

 private:
  HostListener(std::string address, std::string instance, Hosts& hosts, const Clock& clock,
               Random& random);
  void run();

  const std::string listen_address_;
  RemoteHosts hosts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread ticker_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace sandtrail
