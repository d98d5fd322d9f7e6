// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

using tcp = asio::ip::tcp;

constexpr std::size_t kReadBytes = 16 * 1024;  // a TLS record

std::string request_head(const ClientRequest& request, const std::string& user_agent) {
  std::string out = request.method + " " + request.url.target + " HTTP/1.1\r\n";
  const auto put = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!request.fields.has("Host")) put("Host", request.url.authority());
  for (const auto& [name, value] : request.fields.all()) put(name, value);
  if (!request.fields.has("User-Agent")) put("User-Agent", user_agent);
  // RFC 9110 section 8.6: without a body only methods that usually have one say so.
  const bool usual =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (!request.fields.has("Content-Length") && (usual || !request.body.empty())) {
    put("Content-Length", std::to_string(request.body.size()));
  }
  return out + "\r\n";
}

std::string origin_of(const ClientRequest& request) {
  if (!request.unix_path.empty()) return "unix:" + request.unix_path;
  const Url& url = request.url;
  return url.scheme + "://" + url.host + ":" + std::to_string(url.port);
}

bool asks_close(const Fields& fields) {
  const auto value = fields.get("Connection");
  return value && same_field_name(*value, "close");
}

}  // namespace

Call::Call(ClientLoop& loop, ClientRequest request, OnData on_data, Client::Done done)
    : loop_(loop),
      request_(std::move(request)),
      origin_(origin_of(request_)),
      head_(request_head(request_, loop.state().options.user_agent)),
      on_data_(std::move(on_data)),
      done_(std::move(done)),
      timer_(loop.context()),
      attempt_timer_(loop.context()) {}

// ---- connecting ----

void Call::start() {
  started_us_ = phase_began_us_ = loop_.now_us();
  arm_timer();
  connection_ = loop_.take(origin_);
  if (connection_) {
    reused_ = true;
    return exchange();
  }
  open_fresh();
}

void Call::arm_timer() {
  deadline_us_ = loop_.now_us() + request_.timeout.count * 1000;
  timer_.expires_after(std::chrono::milliseconds(request_.timeout.count));
  timer_.async_wait(
      [self = shared_from_this(), arming = ++timer_armings_](const error_code& error) {
        // An expiry that was queued already is not taken back by arming anew.
        if (error || arming != self->timer_armings_) return;
        self->fail(ErrorCode::timeout, "no answer from " + self->origin_ + " in time");
      });
}

void Call::open_fresh() {
  reused_ = false;
  phase_began_us_ = loop_.now_us();
  if (!request_.unix_path.empty()) {
    addresses_ = {"unix"};
    address_next_ = 0;
    return connect_next("no address");
  }
  error_code not_literal;
  asio::ip::make_address(request_.url.host, not_literal);
  if (!not_literal) return resolved(std::vector<std::string>{request_.url.host});
  loop_.state().resolver->resolve(
      request_.url.host, [&loop = loop_, call = weak_from_this()](auto addresses) {
        asio::post(loop.context(), [call, addresses = std::move(addresses)]() mutable {
          if (const auto self = call.lock()) self->resolved(std::move(addresses));
        });
      });
}

// Every address is judged before any is connected to, and the connection goes to exactly these: a
// second lookup could answer differently (DNS rebinding).
void Call::resolved(Result<std::vector<std::string>> addresses) {
  if (released_) return;
  if (!addresses) return fail(addresses.error().code, addresses.error().message);
  const AddressPolicy& policy = loop_.state().options.policy;
  const auto allowed = [&](const std::string& a) { return address_allowed(policy, a); };
  if (!std::all_of(addresses->begin(), addresses->end(), allowed)) {
    return fail(ErrorCode::denied, "the address of " + request_.url.host + " is not allowed",
                "private and special addresses need an exception in the address policy");
  }
  addresses_ = std::move(*addresses);
  addresses_.resize(std::min(addresses_.size(), limits::kHttpClientAddressesMax));
  timings_.resolve_us = loop_.now_us() - phase_began_us_;
  phase_began_us_ = loop_.now_us();
  address_next_ = 0;
  connect_next("no address");
}

void Call::connect_next(const std::string& last_error) {
  if (address_next_ == addresses_.size()) {
    return fail(ErrorCode::unavailable, "cannot connect to " + origin_ + ": " + last_error);
  }
  const std::string& address = addresses_[address_next_++];
  connection_ = std::make_shared<Kept>();
  connection_->transport =
      request_.url.scheme == "https"
          ? make_tls_client(StreamSocket(loop_.context()), *loop_.state().tls, request_.url.host)
          : make_plain_transport(StreamSocket(loop_.context()));
  connection_->remote_address = address;
  connection_->made_us = loop_.now_us();
  connecting_ = true;
  arm_attempt_timer();
  connection_->transport->socket().async_connect(
      endpoint_of(address), [self = shared_from_this(), connection = connection_](
                                const error_code& error) { self->connected(connection, error); });
}

StreamEndpoint Call::endpoint_of(const std::string& address) const {
  if (!request_.unix_path.empty()) {
    return asio::local::stream_protocol::endpoint(request_.unix_path);
  }
  error_code ignored;
  return tcp::endpoint(asio::ip::make_address(address, ignored), request_.url.port);
}

// One address that swallows packets must not use up the time of the others.
void Call::arm_attempt_timer() {
  const auto left = static_cast<std::int64_t>(addresses_.size() - address_next_ + 1);
  if (left == 1) return;
  const std::int64_t share_us = (deadline_us_ - loop_.now_us()) / left;
  attempt_timer_.expires_after(std::chrono::microseconds(std::max<std::int64_t>(1, share_us)));
  attempt_timer_.async_wait(
      [self = shared_from_this(), connection = connection_](const error_code& cancelled) {
        if (cancelled || !self->connecting_ || connection != self->connection_) return;
        connection->transport->close();
      });
}

void Call::connected(const std::shared_ptr<Kept>& connection, const error_code& error) {
  if (released_ || connection != connection_) return;
  attempt_timer_.cancel();
  connecting_ = false;
  if (error) return connect_next(error.message());
  error_code ignored;
  connection_->transport->socket().set_option(tcp::no_delay(true), ignored);
  timings_.connect_us = loop_.now_us() - phase_began_us_;
  phase_began_us_ = loop_.now_us();
  if (!connection_->transport->encrypted()) return exchange();
  handshake();
}

void Call::handshake() {
  connection_->transport->handshake(
      [self = shared_from_this(), connection = connection_](const Status& status) {
        if (self->released_) return;
        if (!status) {
          return self->fail(status.error().code,
                            "TLS with " + self->origin_ + " failed: " + status.error().message,
                            status.error().hint);
        }
        self->timings_.tls_us = self->loop_.now_us() - self->phase_began_us_;
        self->exchange();
      });
}

// ---- request and response ----

// Reads while it writes: a peer may refuse a long request before it has read all of it.
void Call::exchange() {
  sent_ = false;
  answered_ = false;
  reader_ = std::make_unique<ResponseReader>(request_.method == "HEAD",
                                             [this](BytesView piece) { return on_body(piece); });
  connection_->transport->write(
      {asio::buffer(head_), asio::buffer(request_.body)},
      [self = shared_from_this(), connection = connection_](const error_code& error, std::size_t) {
        // What a write error means, the read finds out: an early answer or none.
        if (error || self->released_ || connection != self->connection_) return;
        self->sent_ = true;
        self->sent_us_ = self->loop_.now_us();
      });
  read_more();
}

void Call::read_more() {
  buffer_.resize(kReadBytes);
  connection_->transport->read_some(asio::buffer(buffer_),
                                    [self = shared_from_this(), connection = connection_](
                                        const error_code& error, std::size_t count) {
                                      if (!self->released_ && connection == self->connection_)
                                        self->on_read(error, count);
                                    });
}

void Call::on_read(const error_code& error, std::size_t count) {
  if (error) return peer_ended(error);
  if (!std::exchange(answered_, true)) {
    timings_.first_byte_us = sent_ ? loop_.now_us() - sent_us_ : 0;
  }
  const bool had_head = reader_->state() != ResponseReader::State::head;
  const auto state = reader_->feed({buffer_.data(), count});
  if (released_) return;  // by a callback of the stream
  const bool has_head = state == ResponseReader::State::body;
  if (on_data_ && has_head && (!had_head || streaming())) arm_timer();
  proceed(state);
}

void Call::peer_ended(const error_code& error) {
  // A kept connection may have been closed by the peer just when the request left; it then has not
  // seen it. Only with nothing of an answer is that likely, and only once it is tried.
  if (reused_ && !answered_) {
    connection_->transport->close();
    return open_fresh();
  }
  if (error == asio::error::eof) return proceed(reader_->end());
  fail(ErrorCode::unavailable, "connection to " + origin_ + " broke: " + error.message());
}

// False stops the reader: the caller wants no more, or there is too much.
bool Call::on_body(BytesView piece) {
  if (streaming()) {
    truncated_ = !on_data_(piece);
    return !truncated_;
  }
  // After an early delivery body_ is gone, and everything is surplus.
  const std::size_t space = done_ ? request_.response_bytes_max - body_.size() : 0;
  body_.append(piece.substr(0, space));
  if (piece.size() <= space) return true;
  too_long_ = !request_.truncate_response;
  truncated_ = true;
  // A little more than asked for is read and dropped: that is cheaper than a new connection.
  drained_bytes_ += piece.size() - std::min(space, piece.size());
  return !too_long_ && drained_bytes_ <= limits::kHttpClientDrainBytesMax;
}

void Call::proceed(ResponseReader::State state) {
  using State = ResponseReader::State;
  if (too_long_) {
    return fail(ErrorCode::unavailable, "the response of " + origin_ + " is longer than " +
                                            std::to_string(request_.response_bytes_max) + " bytes");
  }
  switch (state) {
    case State::head:
      return read_more();
    case State::body:
      // The caller need not wait for bytes that it will not see.
      if (truncated_ && done_) deliver(response());
      return released_ ? void() : read_more();
    case State::complete:
    case State::stopped:
      return complete();
    case State::failed:
      return fail(ErrorCode::unavailable, origin_ + ": " + reader_->failure());
  }
}

void Call::complete() {
  const bool whole = reader_->state() == ResponseReader::State::complete;
  const bool keep = whole && sent_ && reader_->keep_alive() && !asks_close(request_.fields);
  if (!done_) return release(keep);
  ClientResponse result = response();
  release(keep);
  deliver(std::move(result));
}

ClientResponse Call::response() {
  ClientResponse out;
  out.status = reader_->status();
  out.fields = std::move(reader_->fields());
  out.body = std::move(body_);
  out.truncated = truncated_;
  out.remote_address = connection_->remote_address;
  timings_.total_us = loop_.now_us() - started_us_;
  out.timings = timings_;
  return out;
}

// ---- ending ----

void Call::cancel() {
  fail(ErrorCode::cancelled, "the client was closed");
}

void Call::fail(ErrorCode code, std::string message, std::string hint) {
  if (released_) return;
  release(false);
  if (done_) deliver(Error{code, std::move(message), std::move(hint)});
}

void Call::release(bool keep) {
  const auto self = shared_from_this();
  released_ = true;
  timer_.cancel();
  attempt_timer_.cancel();
  loop_.remove(self);
  --loop_.state().in_flight;
  if (!connection_) return;
  if (keep) {
    loop_.keep(origin_, connection_);
  } else {
    connection_->transport->close();
  }
}

void Call::deliver(Result<ClientResponse> result) {
  const auto done = std::exchange(done_, nullptr);
  done(std::move(result));
}

}  // namespace sandtrail::http
