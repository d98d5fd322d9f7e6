// SPDX-License-Identifier: Apache-2.0
// One I/O thread of the client: the calls to its origins, and their idle connections.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "http_beast/client.h"
#include "resolver.h"
#include "tls_settings.h"
#include "transport.h"

namespace sandtrail::http {

class Call;

// What all loops share.
struct ClientState {
  ClientOptions options;
  std::unique_ptr<TlsSettings> tls;
  std::optional<Resolver> resolver;  // ended before the loops
  std::atomic<std::size_t> in_flight{0};
};

// A connection that can be used again.
struct Kept {
  std::shared_ptr<Transport> transport;
  std::string remote_address;
  std::int64_t made_us = 0;
  std::int64_t idle_since_us = 0;
  bool gone = false;  // taken or dropped
};

class ClientLoop {
 public:
  explicit ClientLoop(ClientState& state);
  ~ClientLoop();  // after stop() and join()

  void start();  // may throw std::system_error: no thread to be had
  asio::io_context& context() { return context_; }
  ClientState& state() { return state_; }

  // From any thread.
  void submit(std::shared_ptr<Call> call);
  // From any thread: cancels everything and lets the thread end.
  void stop();
  void join();
  // After join(): runs, on the caller's thread, what was posted meanwhile; returns how much.
  std::size_t run_rest();

  // --- on the loop's thread ---
  std::int64_t now_us() const { return state_.options.clock->monotonic_us(); }
  // The connection to `origin` that was used last, or null.
  std::shared_ptr<Kept> take(const std::string& origin);
  void keep(const std::string& origin, std::shared_ptr<Kept> kept);
  void remove(const std::shared_ptr<Call>& call) { calls_.erase(call); }

 private:
  void drop(const std::string& origin, const std::shared_ptr<Kept>& kept);
  void sweep();
  bool stale(const Kept& kept) const;

  ClientState& state_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  asio::steady_timer sweep_timer_{context_};
  bool sweeping_ = false;
  bool stopping_ = false;
  std::unordered_set<std::shared_ptr<Call>> calls_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Kept>>> kept_;
  std::size_t kept_count_ = 0;
  std::thread thread_;
};

}  // namespace sandtrail::http
