// SPDX-License-Identifier: Apache-2.0
// The files of cluster.*, as servers and clients of our processes take them. Without any,
// connections are plain.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "http/server.h"
#include "http_beast/client.h"

namespace sandtrail {

std::optional<http::ServerTls> cluster_tls(const Config& config);  // nullopt: plain
// `peer_role` is what the server's certificate must say; empty: any of ours.
void use_cluster_tls(const Config& config, const std::string& peer_role,
                     http::ClientOptions& options);

}  // namespace sandtrail
