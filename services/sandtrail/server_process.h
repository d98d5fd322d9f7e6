// SPDX-License-Identifier: Apache-2.0
// All roles in one process over the embedded log: what `sandtrail dev` runs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "http/message.h"

namespace sandtrail {

class ServerProcess {
 public:
  // Opens everything below config.data_dir and serves. Errors say what to do.
  static Result<std::unique_ptr<ServerProcess>> start(const Config& config);
  // Stops serving, then acting, then closes the log: what was accepted is drained.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::string url() const;        // of the API, with the port that was really taken
  std::string admin_url() const;  // empty: off
  // Waits until every partition has caught up and the roles are live; logs what it waits for.
  // cancelled once `stopped` says so.
  Status wait_until_ready(Millis deadline, const std::function<bool()>& stopped);
  // A request to the operator's routes, answered within `deadline`.
  Result<http::Response> ask_operator(http::Request request, Millis deadline);

 private:
  struct Impl;
  explicit ServerProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandtrail
