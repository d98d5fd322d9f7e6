// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 server on Boost.Asio, with Boost.Beast as parser (RFC 9110, 9112).
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "http/server.h"

namespace sandtrail::http {

// Listens and serves with `threads` I/O threads (at least 1); raises the process's soft limit of
// open files to the hard one (open_files.h), and serves no more connections than that allows.
// Time-outs go by `clock`, looked at every limits::kHttpSweepPeriod. Errors: invalid_argument
// (address, threads), conflict (port in use, or another server at the unix socket's path), denied
// (a port below 1024, a key that others may read), not_found or corrupt (the files of TLS),
// unavailable (address not of this machine), internal.
Result<std::unique_ptr<Server>> start_server(
    ServerOptions options, Handler handler, int threads,
    std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>());

}  // namespace sandtrail::http
