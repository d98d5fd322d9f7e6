// SPDX-License-Identifier: Apache-2.0
// The launcher's side of hosting/protocol.h: hosts on machines of their own join, are heard, lapse
// and leave.
//
// Over mutual TLS only peers of the role "host" are heard, and a host's id is made from the name in
// its certificate, so that none can speak as another. On a plain connection it is what the host
// says, so that one belongs on loopback.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "http/server.h"
#include "launcher/hosts.h"

namespace sandtrail {

class RemoteHost;

struct RemoteHostsOptions {
  std::string instance;               // of this launcher, for people
  Millis lease = limits::kHostLease;  // without a word a host counts as gone
};

// Thread-safe. Everything given must outlive it.
class RemoteHosts {
 public:
  RemoteHosts(RemoteHostsOptions options, Hosts& hosts, const Clock& clock, Random& random);
  ~RemoteHosts();
  RemoteHosts(const RemoteHosts&) = delete;
  RemoteHosts& operator=(const RemoteHosts&) = delete;

  // Serves the routes of the protocol, and nothing else. Must not be called after the destruction.
  http::Handler handler();
  // Notices who has lapsed, ends long waits. To be called several times a second, on one thread.
  void tick();
  // Whoever waits is told to look elsewhere; nobody joins any more.
  void stop();

 private:
  using Session = std::shared_ptr<RemoteHost>;
  struct Known {
    std::int64_t epoch = 0;  // the highest seen
    Session session;         // null: none now
    std::uint64_t used = 0;  // when it was seen last, in order
  };

  void handle(http::Request request, const std::shared_ptr<http::Responder>& responder);
  void handle_session(const http::Request& request, std::string_view rest,
                      const std::shared_ptr<http::Responder>& responder);
  http::Response join(const http::Request& request);
  Result<Session> admit(const HostInfo& info, const std::string& name, Session& replaced);
  http::Response hear(const Session& session, const http::Request& request);
  http::Response heartbeat(const Session& session, const http::Request& request);
  http::Response leave(const Session& session);
  Session find(std::string_view id, http::Response& otherwise) const;
  bool remove(const Session& session);

  const RemoteHostsOptions options_;
  Hosts& hosts_;
  const Clock& clock_;
  Random& random_;
  std::mutex joining_;  // one host at a time joins, so that the later one stays
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::uint64_t uses_ = 0;
  std::map<HostId, Known> known_;  // also those that are gone, a bounded number
  std::map<std::string, Session, std::less<>> sessions_;
  std::vector<std::string> replaced_;  // sessions, the oldest first; a bounded number
};

}  // namespace sandtrail
