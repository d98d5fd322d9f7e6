// SPDX-License-Identifier: Apache-2.0
// One server process with the roles of its plan, from its start to a signal.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "process_plan.h"

namespace sandtrail {

// Waits for at most so long for the end to be asked for; true if it was.
using EndAsked = std::function<bool(Millis)>;

struct ServerParts;

class ServerProcess {
 public:
  // Opens what is local and serves health at once; waits for no broker. Errors say what to do.
  static Result<std::unique_ptr<ServerProcess>> open(ProcessPlan plan);
  // Leaves its groups, stops serving, then acting, then closes the log: what was accepted is
  // drained.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::string url() const;  // of the API, with the port that was really taken; empty: none
  std::string hosts_join_at() const;  // "host:port"; empty: hosts cannot join here
  std::string admin_url() const;      // empty: off
  // Waits for the log, until every partition has caught up and the roles of a process that is alone
  // are live; logs what it waits for. cancelled once the end is asked for; any other error ends it.
  Status get_ready(const EndAsked& end_asked);
  // Until the end is asked for; logs when it is not ready any more, and again.
  void serve(const EndAsked& end_asked);
  // A request to the operator's routes, answered within `deadline`.
  Result<http::Response> ask_operator(http::Request request, Millis deadline);

 private:
  explicit ServerProcess(std::unique_ptr<ServerParts> parts);
  Status join_log();
  std::string not_ready_because() const;
  std::string not_live_because() const;

  std::unique_ptr<ServerParts> parts_;
};

}  // namespace sandtrail
