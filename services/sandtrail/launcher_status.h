// SPDX-License-Identifier: Apache-2.0
// GET /host/v1/status of a launcher: its hosts, for operators on other machines. Over TLS it
// answers peers of the role "operator"; on a plain connection, which is on loopback, everybody.
//
//   200 {"launcher": "instance", "hosts": [{"id", "address", "connected", "slots", "busy", …}]}
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/gateway.h"
#include "http/server.h"

namespace sandtrail {

// Answers that path; every other request is passed on.
http::Handler with_launcher_status(std::string instance,
                                   std::function<std::vector<HostStatus>()> hosts,
                                   http::Handler others);

// Asks the launcher at "host:port", with the certificate of cluster.* if there is one. Blocks.
Result<Bytes> ask_launcher(const Config& config, const std::string& launcher);

}  // namespace sandtrail
