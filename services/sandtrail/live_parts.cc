// SPDX-License-Identifier: Apache-2.0
#include "live_parts.h"

#include "cluster_tls.h"
#include "http_beast/client.h"

namespace sandtrail {
namespace {

http::ClientOptions options_for(const Config& config) {
  http::ClientOptions options;
  options.policy.allow_private = true;  // hosts are the operator's; each names its own address
  options.in_flight_max = limits::kLiveFollowersMax;
  // Of any role: a launcher may have a host built in, and what else has a certificate of ours is
  // trusted with more than this.
  use_cluster_tls(config, "", options);
  return options;
}

}  // namespace

Result<std::unique_ptr<LiveParts>> LiveParts::open(const ProcessPlan& plan, OutputSource* builtin) {
  std::unique_ptr<LiveParts> out(new LiveParts);
  const bool elsewhere = !plan.runs(ServerRole::launcher) || !plan.config.launcher.listen.off();
  if (elsewhere) {
    ST_ASSIGN(out->client_, http::make_client(options_for(plan.config)));
    RemoteOutputOptions options;
    options.scheme = plan.config.cluster.tls() ? "https" : "http";
    out->remote_ = std::make_unique<RemoteOutputSource>(*out->client_, options);
  }
  out->source_ = std::make_unique<RoutedOutputSource>(builtin, out->remote_.get());
  return out;
}

}  // namespace sandtrail
