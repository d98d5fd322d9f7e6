// SPDX-License-Identifier: Apache-2.0
#include "host_listener.h"

#include "base/limits.h"
#include "cluster_tls.h"
#include "codec/reflect.h"
#include "codec/text.h"
#include "hosting/protocol.h"
#include "http_beast/server.h"
#include "launcher_status.h"

namespace sandtrail {
namespace {

constexpr int kThreads = 2;
constexpr auto kTick = std::chrono::milliseconds(250);
constexpr Millis kStopDeadline = seconds(1);

http::Response reject(int status, std::string detail) {
  http::Response response;
  response.status = status;
  response.fields.add("Content-Type", "application/json");
  const std::string code = status == 503 ? "overloaded" : "malformed";
  response.body = to_text(ProtocolError{code, std::move(detail)});
  return response;
}

}  // namespace

HostListener::HostListener(std::string address, std::string instance, Hosts& hosts,
                           const Clock& clock, Random& random)
    : listen_address_(std::move(address)),
      hosts_(RemoteHostsOptions{std::move(instance)}, hosts, clock, random) {}

Result<std::unique_ptr<HostListener>> HostListener::start(
    const Config& config, std::string instance, Hosts& hosts,
    std::function<std::vector<HostStatus>()> status, const Clock& clock, Random& random) {
  const ListenAddress& where = config.launcher.listen;
  std::unique_ptr<HostListener> out(
      new HostListener(where.address, instance, hosts, clock, random));
  http::ServerOptions options;
  options.address = where.address;
  options.port = where.port;
  options.tls = cluster_tls(config);
  options.body_bytes_max = limits::kHostReportsBytesMax;
  options.reject = reject;
  ST_ASSIGN(out->server_,
            http::start_server(
                std::move(options),
                with_launcher_status(std::move(instance), std::move(status), out->hosts_.handler()),
                kThreads));
  out->ticker_ = std::thread([listener = out.get()] { listener->run(); });
  return out;
}

void HostListener::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    hosts_.tick();
    lock.lock();
    changed_.wait_for(lock, kTick, [this] { return stopping_; });
  }
}

HostListener::~HostListener() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (ticker_.joinable()) ticker_.join();
  hosts_.stop();
  if (server_) server_->stop(kStopDeadline);
  server_.reset();
}

std::string HostListener::address() const {
  return ListenAddress{listen_address_, server_->port()}.text();
}

}  // namespace sandtrail
