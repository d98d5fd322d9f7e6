// SPDX-License-Identifier: Apache-2.0
// One request and its answer, where the handler's threads and the connection's thread meet.
// Standard library only.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "body_budget.h"
#include "http/server.h"

namespace sandtrail::http {

// What an exchange asks of its connection. Every call only queues the work for the connection's
// thread and returns.
class ExchangePort {
 public:
  virtual ~ExchangePort() = default;
  virtual void post_answer(Response response) = 0;
  virtual void post_abandoned() = 0;  // the handler dropped the responder: answer 500
  virtual void post_stream(Response head) = 0;
  virtual void post_flush() = 0;  // take() has something
  virtual void post_cut() = 0;    // close at once
};

// Thread-safe. Calls to the port are made under the lock, so after end() there are none and the
// port may go.
class Exchange {
 public:
  // `body` is what the request's body takes of the budget: until the answer, even if the connection
  // ends before, for the handler has the body.
  explicit Exchange(ExchangePort& port, BodyReservation body = BodyReservation())
      : port_(&port), body_(std::move(body)) {}

  // --- the handler's side, by Responder and Stream ---
  void respond(Response response);
  bool start_stream(Response head);  // false: the answer was given before
  void abandon();
  void on_lost(std::function<void()> closed);  // before the answer
  bool write(Bytes chunk);
  void finish();
  void drop_stream();
  void on_stream_end(std::function<void()> closed);

  // --- the connection's side ---
  bool answered();
  struct Output {
    Bytes bytes;
    bool last = false;
  };
  Output take();                 // all that waits
  void sent(std::size_t bytes);  // that much of it has left
  // The answer is over or the connection is; calls back those who wait for that. Idempotent.
  void end();

 private:
  using Callbacks = std::vector<std::function<void()>>;

  bool begin_answer();  // false: there is one already. Under the lock

  std::mutex mutex_;
  ExchangePort* port_;  // null after end()
  BodyReservation body_;
  bool answered_ = false;
  bool finished_ = false;
  bool overrun_ = false;
  bool flush_posted_ = false;
  Bytes waiting_;
  std::size_t buffered_bytes_ = 0;  // waiting, and taken but not sent
  Callbacks on_lost_;
  Callbacks on_stream_end_;
};

// The Responder that answers through `exchange`.
std::shared_ptr<Responder> make_responder(std::shared_ptr<Exchange> exchange);

}  // namespace sandtrail::http
