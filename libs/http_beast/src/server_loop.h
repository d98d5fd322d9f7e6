// SPDX-License-Identifier: Apache-2.0
// One I/O thread of the server and the connections it serves. A connection stays with its loop, so
// its state needs no lock.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "body_budget.h"
#include "http/server.h"
#include "stream_socket.h"
#include "tls_settings.h"

namespace sandtrail::http {

class Connection;

// What all loops share. Counts are exact: a connection counts from accept to close.
struct ServerState {
  ServerOptions options;  // its limits filled in
  Handler handler;
  std::shared_ptr<const Clock> clock;
  std::unique_ptr<TlsSettings> tls;  // null: plain
  std::atomic<bool> stopping{false};

  std::shared_ptr<BodyBudget> bodies;  // responders may outlive the server

  // A connection from `address` would be one too many.
  bool full_for(const std::string& address);
  void opened(bool refused, const std::string& address);
  void closed(bool refused, const std::string& address);
  // Waits until no connection is left, at most `deadline`.
  void wait_closed(Millis deadline);

  std::atomic<std::size_t> connections{0};  // served ones
  std::atomic<std::size_t> refusals{0};     // being told 503

 private:
  std::mutex mutex_;
  std::condition_variable all_closed_;
  std::unordered_map<std::string, std::size_t> per_address_;  // served ones
};

class ServerLoop {
 public:
  explicit ServerLoop(ServerState& state);
  ~ServerLoop();  // after stop() and join()

  void start();  // may throw std::system_error: no thread to be had
  asio::io_context& context() { return context_; }
  ServerState& state() { return state_; }

  // From any thread: takes over an accepted socket, which counts already.
  void adopt(StreamSocket socket, std::string peer_address, bool refuse);
  // From any thread: connections end after the answer they owe, others now.
  void drain();
  // From any thread: closes everything and lets the thread end.
  void stop();
  void join();

  // --- on the loop's thread ---
  void remove(const Connection& connection);
  std::int64_t now_us() const { return state_.clock->monotonic_us(); }
  std::string_view date();  // for the Date field; formatted once a second
  // For one read, between its call and the next.
  std::array<char, 64 * 1024>& scratch() { return scratch_; }

 private:
  void sweep();

  ServerState& state_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  asio::steady_timer sweep_timer_{context_};
  bool sweeping_ = false;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  std::int64_t date_second_ = -1;
  std::string date_;
  std::array<char, 64 * 1024> scratch_;
  std::thread thread_;
};

}  // namespace sandtrail::http
