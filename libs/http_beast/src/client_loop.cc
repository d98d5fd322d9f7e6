// SPDX-License-Identifier: Apache-2.0
#include "client_loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

#include "base/limits.h"
#include "call.h"

namespace sandtrail::http {

ClientLoop::ClientLoop(ClientState& state) : state_(state) {}
ClientLoop::~ClientLoop() = default;

void ClientLoop::start() {
  thread_ = std::thread([this] { context_.run(); });
}

void ClientLoop::submit(std::shared_ptr<Call> call) {
  asio::post(context_, [this, call = std::move(call)] {
    calls_.insert(call);
    if (stopping_) return call->cancel();
    call->start();
  });
}

void ClientLoop::stop() {
  asio::post(context_, [this] {
    stopping_ = true;
    const auto calls = calls_;  // cancelling changes the set
    for (const auto& call : calls) call->cancel();
    for (auto& [origin, list] : kept_) {
      for (const auto& kept : list) {
        kept->gone = true;
        kept->transport->close();
      }
    }
    kept_.clear();
    kept_count_ = 0;
    sweep_timer_.cancel();
    guard_.reset();
  });
}

void ClientLoop::join() {
  if (thread_.joinable()) thread_.join();
}

std::size_t ClientLoop::run_rest() {
  context_.restart();
  return context_.poll();
}

bool ClientLoop::stale(const Kept& kept) const {
  const std::int64_t now = now_us();
  return now - kept.made_us > limits::kHttpClientKeptAgeMax.count * 1000 ||
         now - kept.idle_since_us > limits::kHttpClientKeptIdleMax.count * 1000;
}

std::shared_ptr<Kept> ClientLoop::take(const std::string& origin) {
  for (auto found = kept_.find(origin); found != kept_.end(); found = kept_.find(origin)) {
    const auto kept = found->second.back();
    // What it said since may not have been noticed yet, and is no answer to the next request.
    error_code ignored;
    if (!stale(*kept) && kept->transport->socket().available(ignored) == 0) {
      kept->gone = true;
      kept->transport->socket().cancel(ignored);  // the wait for its end
      found->second.pop_back();
      --kept_count_;
      if (found->second.empty()) kept_.erase(found);
      return kept;
    }
    drop(origin, kept);
  }
  return nullptr;
}

void ClientLoop::keep(const std::string& origin, std::shared_ptr<Kept> kept) {
  kept->idle_since_us = now_us();
  kept->gone = false;
  auto& list = kept_[origin];
  if (stopping_ || stale(*kept) || list.size() >= limits::kHttpClientKeptPerOriginMax ||
      kept_count_ >= limits::kHttpClientKeptMax) {
    if (list.empty()) kept_.erase(origin);
    return kept->transport->close();
  }
  list.push_back(kept);
  ++kept_count_;
  // Input on an idle connection is its end, or an answer to nothing.
  kept->transport->socket().async_wait(StreamSocket::wait_read,
                                       [this, origin, kept](const error_code& error) {
                                         if (error != asio::error::operation_aborted && !kept->gone)
                                           drop(origin, kept);
                                       });
  if (!std::exchange(sweeping_, true)) sweep();
}

void ClientLoop::drop(const std::string& origin, const std::shared_ptr<Kept>& kept) {
  kept->gone = true;
  kept->transport->close();
  const auto found = kept_.find(origin);
  if (found == kept_.end()) return;
  kept_count_ -= std::erase(found->second, kept);
  if (found->second.empty()) kept_.erase(found);
}

void ClientLoop::sweep() {
  std::vector<std::pair<std::string, std::shared_ptr<Kept>>> old;
  for (const auto& [origin, list] : kept_) {
    for (const auto& kept : list) {
      if (stale(*kept)) old.emplace_back(origin, kept);
    }
  }
  for (const auto& [origin, kept] : old) drop(origin, kept);
  if (kept_.empty()) {
    sweeping_ = false;
    return;
  }
  sweep_timer_.expires_after(std::chrono::milliseconds(limits::kHttpSweepPeriod.count));
  sweep_timer_.async_wait([this](const error_code& error) {
    if (!error) sweep();
  });
}

}  // namespace sandtrail::http
