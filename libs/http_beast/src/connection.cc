// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

using tcp = asio::ip::tcp;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(ServerLoop& loop, std::shared_ptr<Transport> transport,
                       std::string peer_address, bool refuse)
    : loop_(loop),
      transport_(std::move(transport)),
      peer_address_(std::move(peer_address)),
      refuse_(refuse),
      reader_(loop.state().options.body_bytes_max, BodyReservation(loop.state().bodies)) {}

void Connection::set_deadline(Millis span) {
  deadline_us_ = loop_.now_us() + span.count * 1000;
}

// ---- reading ----

void Connection::start() {
  if (loop_.state().stopping) return close();
  set_options();
  set_deadline(limits::kHttpHeaderTimeout);
  greet();
}

// The handshake and the wait for the first byte share one time-out: TLS gives a peer no more time.
void Connection::greet() {
  transport_->handshake([self = shared_from_this(), transport = transport_](const Status& status) {
    if (self->phase_ == Phase::greeting) self->greeted(status);
  });
}

void Connection::greeted(const Status& status) {
  if (!status && status.error().code == ErrorCode::invalid_argument) {
    // In the clear, as it asked: whoever reads it learns only what to do.
    transport_ = make_plain_transport(std::move(transport_->socket()));
    return reject(400, "this port speaks HTTPS only");
  }
  if (!status) return linger();  // the peer gets to read the alert that says why
  if (refuse_) return reject(503, "too many connections");
  phase_ = Phase::reading;
  wait_readable();
}

void Connection::set_options() {
  StreamSocket& socket = transport_->socket();
  error_code ignored;  // each is an improvement only, and a dead socket shows soon enough
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  // A peer that vanished without a word must not hold a waiting request for ever.
  socket.set_option(StreamSocket::keep_alive(true), ignored);
  const std::pair<int, int> probes[] = {
      {TCP_KEEPIDLE, limits::kHttpProbeSeconds}, {TCP_KEEPINTVL, 10}, {TCP_KEEPCNT, 3}};
  for (const auto& [option, value] : probes) {
    setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  }
}

// Waits without a buffer and reads into the loop's: thousands of idle connections hold none.
void Connection::wait_readable() {
  if (std::exchange(waiting_, true)) return;
  const auto ready = [self = shared_from_this()](const error_code& error) {
    self->waiting_ = false;
    if (error) return self->close();
    if (self->phase_ == Phase::reading) return self->on_readable();
    if (self->phase_ == Phase::lingering) return self->drop_input();
  };
  // What is only dropped is not decrypted either.
  if (phase_ == Phase::lingering) {
    transport_->socket().async_wait(StreamSocket::wait_read, ready);
  } else {
    transport_->wait_readable(ready);
  }
}

void Connection::on_readable() {
  error_code error;
  auto& scratch = loop_.scratch();
  const std::size_t count = transport_->read_now(asio::buffer(scratch), error);
  if (error == asio::error::would_block) return wait_readable();
  // The peer's end before the end of a request: there is nothing to answer.
  if (error) return close();
  advance(reader_.feed({scratch.data(), count}));
}

void Connection::advance(RequestReader::State state) {
  using State = RequestReader::State;
  const bool changed = std::exchange(read_state_, state) != state;
  switch (state) {
    case State::idle:
      if (changed) set_deadline(limits::kHttpIdleTimeout);
      return wait_readable();
    case State::head:
      if (changed) set_deadline(limits::kHttpHeaderTimeout);
      return wait_readable();
    case State::body:
      if (changed) set_deadline(limits::kHttpBodyTimeout);
      return reader_.wants_continue() ? say_continue() : wait_readable();
    case State::complete:
      return handle();
    case State::failed:
      return reject(reader_.failure().status, reader_.failure().detail);
  }
}

void Connection::say_continue() {
  writing_ = true;
  transport_->write({asio::buffer(kContinue)},
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->writing_ = false;
                      if (error) return self->close();
                      self->wait_readable();
                    });
}

// ---- handling ----

void Connection::handle() {
  phase_ = Phase::handling;
  deadline_us_ = 0;
  keep_ = reader_.keep_alive();
  exchange_ = std::make_shared<Exchange>(*this, reader_.take_reservation());
  Request request = reader_.take();
  request.peer_address = peer_address_;
  request.peer = transport_->peer();
  try {
    loop_.state().handler(std::move(request), make_responder(exchange_));
  } catch (...) {
    // Handlers must not throw. If one does, its responder is gone and the answer is 500.
  }
  if (!exchange_->answered()) watch_peer();
}

// A reset or a close in both directions ends the wait for an answer; a peer that only shut down its
// sending side (EPOLLRDHUP, not asked for) may still read. Once begun, it lasts as long as the
// connection. Urgent data wakes it as well: HTTP has none, and to go on watching would spin.
void Connection::watch_peer() {
  if (std::exchange(watching_, true)) return;
  transport_->socket().async_wait(
      StreamSocket::wait_error, [self = shared_from_this()](const error_code&) { self->close(); });
}

void Connection::post_answer(Response response) {
  asio::post(loop_.context(),
             [self = shared_from_this(), response = std::move(response)]() mutable {
               if (self->phase_ == Phase::handling) self->answer(std::move(response));
             });
}

void Connection::post_abandoned() {
  post_answer(rejection(loop_.state().options, 500, "the request was not answered"));
}

void Connection::post_stream(Response head) {
  asio::post(loop_.context(), [self = shared_from_this(), head = std::move(head)]() mutable {
    if (self->phase_ == Phase::handling) self->stream(std::move(head));
  });
}

void Connection::post_flush() {
  asio::post(loop_.context(), [self = shared_from_this()] { self->flush(); });
}

void Connection::post_cut() {
  asio::post(loop_.context(), [self = shared_from_this()] { self->close(); });
}

// ---- whole answers ----

void Connection::reject(int status, std::string detail) {
  keep_ = false;
  reader_.drop();
  answer(rejection(loop_.state().options, status, std::move(detail)));
}

void Connection::answer(Response response) {
  if (!valid_head(response)) {
    response = rejection(loop_.state().options, 500, "the answer could not be sent");
  }
  keep_ = keep_ && !loop_.state().stopping && !wants_close(response);
  HeadFacts facts;
  facts.framing = bodyless(response.status) ? BodyFraming::none : BodyFraming::length;
  facts.body_bytes = response.body.size();
  facts.keep = keep_;
  facts.http_1_0 = reader_.http_1_0();
  facts.date = loop_.date();
  const bool with_body = facts.framing == BodyFraming::length && !reader_.head_method();
  std::string head = head_text(response, facts);
  write_answer(std::move(head), with_body ? std::move(response.body) : Bytes{});
}

void Connection::write_answer(std::string head, Bytes body) {
  phase_ = Phase::answering;
  head_ = std::move(head);
  body_ = std::move(body);
  set_deadline(limits::kHttpWriteTimeout);
  transport_->write({asio::buffer(head_), asio::buffer(body_)},
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      if (error) return self->close();
                      self->answer_done();
                    });
}

void Connection::answer_done() {
  if (phase_ == Phase::closed) return;
  const auto exchange = std::move(exchange_);
  head_ = {};
  Bytes().swap(body_);  // to assign an empty one would keep the memory
  tail_ = {};
  keep_ = keep_ && !loop_.state().stopping;
  phase_ = Phase::reading;
  if (exchange) exchange->end();
  if (keep_) return advance(reader_.next());
  linger();
}

// ---- streamed answers ----

void Connection::stream(Response head) {
  if (!valid_head(head)) return answer(std::move(head));
  keep_ = keep_ && !loop_.state().stopping && !wants_close(head) && !reader_.http_1_0();
  framing_ = reader_.http_1_0() ? BodyFraming::close : BodyFraming::chunked;
  HeadFacts facts;
  facts.framing = bodyless(head.status) ? BodyFraming::none : framing_;
  facts.keep = keep_;
  facts.http_1_0 = reader_.http_1_0();
  facts.date = loop_.date();
  // Without a body the answer is over with its head; the stream takes nothing.
  if (reader_.head_method() || bodyless(head.status)) {
    return write_answer(head_text(head, facts), {});
  }
  phase_ = Phase::streaming;
  watch_peer();
  head_ = head_text(head, facts);
  writing_ = true;
  set_deadline(limits::kHttpWriteTimeout);
  transport_->write({asio::buffer(head_)},
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->writing_ = false;
                      if (error) return self->close();
                      self->deadline_us_ = 0;
                      self->flush();
                    });
}

void Connection::flush() {
  if (phase_ != Phase::streaming || writing_) return;
  Exchange::Output output = exchange_->take();
  if (!output.bytes.empty() || output.last) write_flush(std::move(output));
}

// All that waits goes out as one chunk (RFC 9112 section 7.1).
void Connection::write_flush(Exchange::Output output) {
  head_.clear();
  tail_.clear();
  body_ = std::move(output.bytes);
  if (framing_ == BodyFraming::chunked) {
    if (!body_.empty()) {
      char size[24];
      std::snprintf(size, sizeof size, "%zx\r\n", body_.size());
      head_ = size;
      tail_ = "\r\n";
    }
    if (output.last) tail_ += "0\r\n\r\n";
  }
  writing_ = true;
  set_deadline(limits::kHttpWriteTimeout);
  transport_->write(
      {asio::buffer(head_), asio::buffer(body_), asio::buffer(tail_)},
      [self = shared_from_this(), last = output.last](const error_code& error, std::size_t) {
        self->writing_ = false;
        if (error || self->phase_ != Phase::streaming) return self->close();
        self->deadline_us_ = 0;
        self->exchange_->sent(self->body_.size());
        if (last) return self->answer_done();
        self->flush();
      });
}

// ---- ending ----

// Closing while the peer still sends resets the connection, and the reset may overtake the answer
// in its receive buffer. So the last answer is followed by our end, and its remaining bytes are
// read.
void Connection::linger() {
  error_code error;
  transport_->shutdown_send(error);
  if (error) return close();
  phase_ = Phase::lingering;
  set_deadline(limits::kHttpLingerTimeout);
  wait_readable();
}

void Connection::drop_input() {
  error_code error;
  auto& scratch = loop_.scratch();
  const std::size_t count = transport_->socket().read_some(asio::buffer(scratch), error);
  input_dropped_bytes_ += count;
  if ((error && error != asio::error::would_block) ||
      input_dropped_bytes_ > limits::kHttpLingerBytesMax) {
    return close();
  }
  wait_readable();
}

void Connection::time_out() {
  using State = RequestReader::State;
  const bool begun = read_state_ == State::head || read_state_ == State::body;
  if (phase_ != Phase::reading || writing_ || !begun) return close();
  reject(408, read_state_ == State::head ? "the head of the request took too long"
                                         : "the body of the request took too long");
}

void Connection::drain() {
  if (phase_ == Phase::greeting || phase_ == Phase::reading) close();
}

void Connection::close() {
  if (std::exchange(phase_, Phase::closed) == Phase::closed) return;
  const auto self = shared_from_this();
  transport_->close();
  deadline_us_ = 0;
  if (const auto exchange = std::move(exchange_)) exchange->end();
  loop_.remove(*this);
  loop_.state().closed(refuse_, peer_address_);
}

}  // namespace sandtrail::http
