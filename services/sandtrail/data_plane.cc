// SPDX-License-Identifier: Apache-2.0
#include "data_plane.h"

#include "cluster_tls.h"
#include "http_beast/server.h"

namespace sandtrail {
namespace {

constexpr int kThreads = 1;
constexpr std::size_t kBodyBytesMax = 1024;  // there is none
constexpr Millis kStopDeadline{200};

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::start(const Config& config, OutputHub& hub) {
  const ListenAddress& where = config.host.listen;
  if (where.off()) return std::unique_ptr<DataPlane>();
  std::unique_ptr<DataPlane> out(new DataPlane(hub));
  http::ServerOptions options;
  options.address = where.address;
  options.port = where.port;
  options.tls = cluster_tls(config);
  options.body_bytes_max = kBodyBytesMax;
  ST_ASSIGN(out->server_,
            http::start_server(std::move(options), out->endpoint_.handler(), kThreads));
  const std::string taken = ListenAddress{where.address, out->server_->port()}.text();
  out->address_ = config.host.address.empty() ? taken : config.host.address;
  return out;
}

DataPlane::~DataPlane() {
  if (server_) server_->stop(kStopDeadline);
}

}  // namespace sandtrail
