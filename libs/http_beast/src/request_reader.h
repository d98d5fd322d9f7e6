// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection in, requests out (RFC 9112). Where recipients of a message could differ
// about its end or its meaning, it is refused: no obs-fold, no bare LF, no byte over 0x7e in the
// head, one Content-Length of digits only, "chunked" as the only transfer coding, one Host. Holds
// the parser of Beast behind itself. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "body_budget.h"
#include "http/message.h"

namespace sandtrail::http {

class RequestReader {
 public:
  enum class State {
    idle,      // nothing of the next request is here
    head,      // its head has begun
    body,      // its head is whole
    complete,  // take() it
    failed     // see failure(); the connection cannot go on
  };
  struct Failure {
    int status = 400;
    std::string detail;
  };

  // What it holds behind the head of a request is counted in `reserved`; beyond the budget it fails
  // with 503.
  explicit RequestReader(std::size_t body_bytes_max, BodyReservation reserved = BodyReservation());
  ~RequestReader();

  // Takes bytes. At most one request is read ahead of take(); what follows it is kept as it is.
  State feed(BytesView bytes);
  State state() const { return state_; }
  const Failure& failure() const { return failure_; }

  // The head, from State::body on.
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  bool head_method() const { return request_.method == "HEAD"; }
  // The client waits for "100 Continue" before it sends the body, none of which is here yet.
  bool wants_continue() const { return wants_continue_; }

  // What the complete request's body takes of the budget; before take().
  BodyReservation take_reservation() { return reserved_.split(request_.body.size()); }
  // The complete request; the facts about its head stay until next().
  Request take();
  // Goes on to the next request with the bytes that are here.
  State next();
  // Frees what it holds of a request that will not be answered as it asks; no next() after it.
  void drop();

 private:
  struct Parser;

  State fail(int status, std::string detail);
  void reserve();
  void read_head();
  void check_head();
  void check_framing();
  void check_expectation();
  void split_target();
  void read_body();

  const std::size_t body_bytes_max_;
  BodyReservation reserved_;
  State state_ = State::idle;
  Failure failure_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool wants_continue_ = false;
  std::string pending_;      // received, not yet parsed
  std::size_t scanned_ = 0;  // of pending_, known to be no end of a head and without bad bytes
  Request request_;
  std::unique_ptr<Parser> parser_;  // only while a request is read: an idle connection is small
};

}  // namespace sandtrail::http
