// SPDX-License-Identifier: Apache-2.0
#include "http_beast/server.h"

#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <system_error>
#include <vector>

#include "base/limits.h"
#include "http_beast/open_files.h"
#include "listener.h"
#include "server_loop.h"

namespace sandtrail::http {
namespace {

using boost::system::error_code;

void fill_in(ServerOptions& options) {
  const auto fill = [](std::size_t& field, std::size_t value) {
    if (field == 0) field = value;
  };
  fill(options.body_bytes_max, limits::kHttpBodyBytesMax);
  fill(options.bodies_bytes_max, limits::kHttpBodiesBytesMax);
  fill(options.connections_max, limits::kHttpConnectionsMax);
  fill(options.connections_per_address_max, limits::kHttpConnectionsPerAddressMax);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  options.connections_max = connections_allowed(options.connections_max, files.rlim_cur);
}

Result<std::unique_ptr<TlsSettings>> open_tls(const ServerState& state) {
  const ServerTls& tls = *state.options.tls;
  if (tls.cert_file.empty() || tls.key_file.empty() || tls.ca_file.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "mutual TLS needs a certificate, its key and the authority of the clients", ""};
  }
  if (state.options.address.starts_with("unix:")) {
    return Error{ErrorCode::invalid_argument, "no TLS on a unix socket", ""};
  }
  TlsPlan plan;
  plan.side = TlsSide::server;
  plan.cert_file = tls.cert_file;
  plan.key_file = tls.key_file;
  plan.ca_file = tls.ca_file;
  plan.clock = state.clock;
  plan.on_reload = tls.on_reload;
  return TlsSettings::open(std::move(plan));
}

class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, Handler handler, int threads,
              std::shared_ptr<const Clock> clock) {
    state_.bodies = std::make_shared<BodyBudget>(options.bodies_bytes_max);
    state_.options = std::move(options);
    state_.handler = std::move(handler);
    state_.clock = std::move(clock);
    for (int i = 0; i < threads; ++i) loops_.push_back(std::make_unique<ServerLoop>(state_));
    backoff_.emplace(loops_.front()->context());
  }
  ~BeastServer() override { stop(Millis{0}); }

  Status start();
  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return state_.connections; }
  void stop(Millis deadline) override;

 private:
  void accept();
  void accepted(StreamSocket socket, ServerLoop& loop);

  ServerState state_;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
  std::unique_ptr<Listener> listener_;  // used on the first loop's thread
  std::optional<asio::steady_timer> backoff_;
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

Status BeastServer::start() {
  if (state_.options.tls) {
    ST_ASSIGN(state_.tls, open_tls(state_));
  }
  ST_ASSIGN(listener_, Listener::open(loops_.front()->context(), state_.options));
  port_ = listener_->port();
  try {
    for (const auto& loop : loops_) loop->start();
  } catch (const std::system_error&) {
    return Error{ErrorCode::unavailable, "cannot start a thread for HTTP", "raise the task limit"};
  }
  asio::post(loops_.front()->context(), [this] { accept(); });
  return {};
}

void BeastServer::accept() {
  if (state_.stopping || !listener_) return;
  ServerLoop& loop = *loops_[next_loop_++ % loops_.size()];
  listener_->acceptor().async_accept(
      loop.context(), [this, &loop](const error_code& error, StreamSocket socket) {
        if (state_.stopping || error == asio::error::operation_aborted) return;
        if (!error) {
          accepted(std::move(socket), loop);
          return accept();
        }
        // A peer that left the backlog is no reason to wait; to be out of files or memory is: the
        // listener stays readable, and accepting at once again would spin.
        if (error == asio::error::connection_aborted) return accept();
        backoff_->expires_after(std::chrono::milliseconds(limits::kHttpAcceptBackoff.count));
        backoff_->async_wait([this](const error_code& cancelled) {
          if (!cancelled) accept();
        });
      });
}

void BeastServer::accepted(StreamSocket socket, ServerLoop& loop) {
  error_code error;
  const StreamEndpoint peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  std::string address = address_text(peer);
  const bool refuse = state_.full_for(address);
  if (refuse && state_.refusals >= limits::kHttpRefusalsMax) return;
  state_.opened(refuse, address);
  loop.adopt(std::move(socket), std::move(address), refuse);
}

void BeastServer::stop(Millis deadline) {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  state_.stopping = true;
  asio::post(loops_.front()->context(), [this] {
    listener_.reset();
    backoff_->cancel();
  });
  for (const auto& loop : loops_) loop->drain();
  if (deadline > Millis{0}) state_.wait_closed(deadline);
  for (const auto& loop : loops_) loop->stop();
  for (const auto& loop : loops_) loop->join();
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(ServerOptions options, Handler handler, int threads,
                                             std::shared_ptr<const Clock> clock) {
  if (threads < 1 || !handler || !clock) {
    return Error{ErrorCode::invalid_argument, "a server needs a handler, a clock and a thread", ""};
  }
  raise_open_files();
  fill_in(options);
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler), threads,
                                              std::move(clock));
  ST_CHECK_OK(server->start());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace sandtrail::http
