// SPDX-License-Identifier: Apache-2.0
#include "server_loop.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <vector>

#include "base/limits.h"
#include "connection.h"
#include "http/date.h"
#include "listener.h"

namespace sandtrail::http {

bool ServerState::full_for(const std::string& address) {
  if (connections >= options.connections_max) return true;
  if (address == kUnixAddress) return false;
  const std::lock_guard lock(mutex_);
  const auto found = per_address_.find(address);
  return found != per_address_.end() && found->second >= options.connections_per_address_max;
}

void ServerState::opened(bool refused, const std::string& address) {
  const std::lock_guard lock(mutex_);
  ++(refused ? refusals : connections);
  if (!refused) ++per_address_[address];
}

void ServerState::closed(bool refused, const std::string& address) {
  // Under the lock, or the waiter could look between the count and the call and sleep on.
  const std::lock_guard lock(mutex_);
  --(refused ? refusals : connections);
  const auto found = per_address_.find(address);
  if (!refused && --found->second == 0) per_address_.erase(found);
  all_closed_.notify_all();
}

void ServerState::wait_closed(Millis deadline) {
  std::unique_lock lock(mutex_);
  all_closed_.wait_for(lock, std::chrono::milliseconds(deadline.count),
                       [&] { return connections == 0 && refusals == 0; });
}

ServerLoop::ServerLoop(ServerState& state) : state_(state) {}
ServerLoop::~ServerLoop() = default;

void ServerLoop::start() {
  thread_ = std::thread([this] { context_.run(); });
}

void ServerLoop::adopt(StreamSocket socket, std::string peer_address, bool refuse) {
  asio::post(context_, [this, refuse, socket = std::move(socket),
                        peer_address = std::move(peer_address)]() mutable {
    auto transport = state_.tls ? make_tls_server(std::move(socket), *state_.tls)
                                : make_plain_transport(std::move(socket));
    auto connection =
        std::make_shared<Connection>(*this, std::move(transport), std::move(peer_address), refuse);
    connections_.emplace(connection.get(), connection);
    connection->start();
    if (!sweeping_ && !connections_.empty()) {
      sweeping_ = true;
      sweep();
    }
  });
}

void ServerLoop::drain() {
  asio::post(context_, [this] {
    const auto connections = connections_;  // closing changes the map
    for (const auto& [key, connection] : connections) connection->drain();
  });
}

void ServerLoop::stop() {
  asio::post(context_, [this] {
    const auto connections = connections_;
    for (const auto& [key, connection] : connections) connection->close();
    sweep_timer_.cancel();
    guard_.reset();
  });
}

void ServerLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void ServerLoop::remove(const Connection& connection) {
  connections_.erase(&connection);
}

std::string_view ServerLoop::date() {
  const UnixMs now = state_.clock->now();
  if (now.count / 1000 != date_second_) {
    date_second_ = now.count / 1000;
    date_ = http_date(now);
  }
  return date_;
}

// One timer for all connections: a time-out is then a number to set, not a timer to move, and a
// sweep over 8192 of them takes microseconds.
void ServerLoop::sweep() {
  if (connections_.empty()) {
    sweeping_ = false;
    return;
  }
  const std::int64_t now = now_us();
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& [key, connection] : connections_) {
    if (connection->late(now)) late.push_back(connection);
  }
  for (const auto& connection : late) connection->time_out();
  sweep_timer_.expires_after(std::chrono::milliseconds(limits::kHttpSweepPeriod.count));
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

}  // namespace sandtrail::http
