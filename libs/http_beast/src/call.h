// SPDX-License-Identifier: Apache-2.0
// One request of the client, from the pool or the resolver to the result. Everything runs on its
// loop's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client_loop.h"
#include "response_reader.h"

namespace sandtrail::http {

class Call final : public std::enable_shared_from_this<Call> {
 public:
  using OnData = std::function<bool(BytesView)>;

  // The request has passed check_request() and counts in ClientState::in_flight.
  Call(ClientLoop& loop, ClientRequest request, OnData on_data, Client::Done done);

  void start();
  void cancel();

 private:
  void arm_timer();
  void open_fresh();
  void resolved(Result<std::vector<std::string>> addresses);
  void connect_next(const std::string& last_error);
  StreamEndpoint endpoint_of(const std::string& address) const;
  void arm_attempt_timer();
  void connected(const std::shared_ptr<Kept>& connection, const error_code& error);
  void handshake();
  void exchange();
  void read_more();
  void on_read(const error_code& error, std::size_t count);
  bool on_body(BytesView piece);
  void peer_ended(const error_code& error);
  void proceed(ResponseReader::State state);
  void complete();
  bool streaming() const { return on_data_ && reader_->status() / 100 == 2; }

  ClientResponse response();
  void fail(ErrorCode code, std::string message, std::string hint = "");
  // The connection and the place in flight are given back; `keep` if it can be used again.
  void release(bool keep);
  void deliver(Result<ClientResponse> result);

  ClientLoop& loop_;
  const ClientRequest request_;
  const std::string origin_;
  const std::string head_;
  const OnData on_data_;
  Client::Done done_;  // empty once called
  bool released_ = false;

  asio::steady_timer timer_;
  asio::steady_timer attempt_timer_;  // of one address
  std::uint64_t timer_armings_ = 0;
  std::int64_t deadline_us_ = 0;
  std::int64_t started_us_ = 0;
  std::int64_t phase_began_us_ = 0;
  ClientTimings timings_;

  std::vector<std::string> addresses_;
  std::size_t address_next_ = 0;
  std::shared_ptr<Kept> connection_;
  bool connecting_ = false;
  bool reused_ = false;
  bool sent_ = false;
  std::int64_t sent_us_ = 0;
  bool answered_ = false;  // a byte of the response has come
  std::vector<char> buffer_;

  std::unique_ptr<ResponseReader> reader_;
  Bytes body_;
  bool truncated_ = false;
  bool too_long_ = false;
  std::size_t drained_bytes_ = 0;
};

}  // namespace sandtrail::http
