// SPDX-License-Identifier: Apache-2.0
// Where a process answers: its operator's socket, health and metrics, and the API.
#include "http_beast/server.h"
#include "server_parts.h"

namespace sandtrail {
namespace {

constexpr int kHttpThreads = 2;

http::ServerOptions options_for(const ListenAddress& where, Random& random) {
  http::ServerOptions options;
  options.address = where.address;
  options.port = where.port;
  options.reject = [&random](int status, const std::string& detail) {
    return Gateway::reject(status, detail, fresh_request_id(random));
  };
  return options;
}

}  // namespace

Status ServerParts::listen() {
  const Config::Server& server = plan.config.server;
  const ListenAddress socket{"unix:" + directory.in("operator.sock"), 0};
  ST_ASSIGN(operator_server,
            http::start_server(options_for(socket, random), gateway->operator_handler(), 1));
  if (!server.admin_listen.off()) {
    ST_ASSIGN(admin_server, http::start_server(options_for(server.admin_listen, random),
                                               gateway->admin_handler(), 1));
  }
  if (plan.runs(ServerRole::gateway)) {
    ST_ASSIGN(public_server, http::start_server(options_for(server.listen, random),
                                                gateway->public_handler(), kHttpThreads));
  }
  return {};
}

}  // namespace sandtrail
