// SPDX-License-Identifier: Apache-2.0
#include "cluster_tls.h"

#include "obs/log.h"

namespace sandtrail {
namespace {

void tell_reload(const Status& status) {
  if (status.ok()) return log_info("new certificates are in use");
  log_error("changed certificates cannot be used, the old ones stay", {{"error", status.error()}});
}

}  // namespace

std::optional<http::ServerTls> cluster_tls(const Config& config) {
  if (!config.cluster.tls()) return std::nullopt;
  http::ServerTls tls;
  tls.cert_file = config.cluster.cert_file;
  tls.key_file = config.cluster.key_file;
  tls.ca_file = config.cluster.ca_file;
  tls.on_reload = tell_reload;
  return tls;
}

void use_cluster_tls(const Config& config, const std::string& peer_role,
                     http::ClientOptions& options) {
  if (!config.cluster.tls()) return;
  options.ca_file = config.cluster.ca_file;
  options.cert_file = config.cluster.cert_file;
  options.key_file = config.cluster.key_file;
  options.peer_role = peer_role;
  options.on_reload = tell_reload;
}

}  // namespace sandtrail
